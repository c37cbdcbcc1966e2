//! What a password must be, how it is kept, and how it is changed.
//!
//! Passwords come in by two doors: a new one obeys the rules in [`domain`], one that is only
//! compared obeys none. Either way it goes to [`Hasher`] and nowhere else.
//!
//! A password is changed by who knows it, or set anew by who reads the mail of its account: see
//! `links`.

pub(crate) mod commands;
mod domain;
pub(crate) mod handlers;
mod hasher;
mod requests;

pub(crate) use self::domain::NewPassword;
pub(crate) use self::hasher::{HashError, Hasher};
