//! Letters, from the event that causes them to the mail server that takes them.

mod admin;
mod failures;
mod killed;
mod letters;
pub(crate) mod office;
mod rhythm;
