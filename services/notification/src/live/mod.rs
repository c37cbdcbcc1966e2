//! A person's notifications as they come, on Server-Sent Events.
//!
//! A stream pulls: whoever writes a notification only wakes the streams of its recipient (`hub`),
//! and each reads what it has not sent yet from the database, a bounded batch at a time, when its
//! client has room (`stream`). So a stream costs the same whatever waits for it, a slow reader is
//! merely late, and a place in the sequence is all a client must remember to miss nothing.
//! What another replica writes is found by looking (`worker`), which is one more way to wake.

pub(crate) mod domain;
pub(crate) mod handlers;
mod hub;
mod sse;
mod store;
mod stream;
pub(crate) mod worker;

pub(crate) use hub::{Full, Hub, Limits};
pub(crate) use stream::Pace;
