//! What people want letters of, and in which language.
//!
//! The inbox has everything; letters are for what somebody has not turned off. What the safety of
//! an account hangs on cannot be. Every letter that can be turned off says how (RFC 8058), with a
//! token of the person's own that is good for nothing else.

mod domain;
pub(crate) mod handlers;
mod requests;
mod rhythm;
pub(crate) mod store;
pub(crate) mod unsubscribe;

pub(crate) use self::domain::Topic;
