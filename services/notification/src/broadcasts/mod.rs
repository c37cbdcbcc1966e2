//! Telling many people something: asked for by an admin, done by a job that walks over them.
//!
//! Everybody it is for finds it in the inbox and on their streams, as any other notification.
//! Who that is, the user and course services say page by page, in the order of ids, while no
//! transaction is open (`audience`). A few people at a time are told in one transaction with the
//! place from which to go on (`crier`).
//!
//! # Promises
//!
//! - **Each person is told once.** The first statement of a step proves that the claim is still the
//!   newest and holds the row, its last moves the place. Killed at any moment, a broadcast goes on
//!   after the last step that was committed, here or on another replica.
//! - **Nobody is left out** who was there all the time: places are ids, which do not move.
//! - **It waits for peers.** While one does not answer, it is tried again after a growing pause, for
//!   as long as it takes.
//! - **It ends between two steps** when it is cancelled, and rests between two when the process stops.

mod audience;
mod commands;
mod crier;
mod domain;
pub(crate) mod handlers;
mod metrics;
mod report;
mod requests;
mod retention;
mod settings;
mod store;
mod worker;

pub(crate) use commands::{Broadcasts, CancelError, PostError};
pub(crate) use crier::Crier;
pub use settings::BroadcastsSettings;
pub(crate) use store::erase;
