//! Who is signed in: a login opens a session, refreshing continues it, logging out ends it.
//!
//! A session is a family of refresh tokens of which only the newest generation counts; `domain`
//! decides what a token that comes back means. Access tokens, signed by `keys`, are kept nowhere.

pub(crate) mod commands;
mod domain;
mod ending;
pub(crate) mod handlers;
mod requests;
mod retention;
mod store;

pub(crate) use self::domain::{Family, Held, Policy};
pub(crate) use self::ending::{EndReason, forget_all_of};
pub(crate) use self::retention::pruner;
