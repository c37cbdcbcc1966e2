//! What a password must be, and how it is kept.
//!
//! Passwords come in by two doors: a new one obeys the rules in [`domain`], one that is only
//! compared obeys none. Either way it goes to [`Hasher`] and nowhere else.

mod domain;
mod hasher;

pub(crate) use self::domain::NewPassword;
pub(crate) use self::hasher::{HashError, Hasher};
