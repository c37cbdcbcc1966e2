//! Accounts made for somebody else, who accepts by choosing a password.
//!
//! Who makes them writes the letters with `links::commands::invite`.

mod commands;
pub(crate) mod handlers;
mod requests;

pub(crate) use self::commands::AcceptError;
