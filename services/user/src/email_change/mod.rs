//! Another address for an account: asked for with the password, true once the new mailbox says so.

pub(crate) mod commands;
pub(crate) mod handlers;
mod requests;
