//! Whether an account may be used: admins disable and enable it, its owner or an admin deletes it.
//!
//! Whoever loses an account loses every session and token of it in the same commit. What is deleted
//! is anonymous at once; the row, of which only an id, a role and dates are left, goes later (the
//! `worker` of accounts).

pub(crate) mod commands;
pub(crate) mod handlers;
