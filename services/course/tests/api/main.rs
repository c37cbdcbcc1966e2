//! The course service over real HTTP, on a real database, with scripted peers.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod access;
mod catalogue;
mod changes;
mod description;
mod enrolled;
mod enrolments;
mod erasure;
mod events;
mod keys;
mod lists;
mod members;
mod peers;
mod platform;
mod protocol;
