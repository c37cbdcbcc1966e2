//! The other end: how a service takes in what the others tell it.
//!
//! A route `POST /internal/events` reads a [`Batch`] and hands it to [`take_in`]; events have their
//! effects in one transaction with [`remember`], so that a repeat does nothing; and each effect
//! belongs to the trace of what caused it ([`Arrived`]).

mod arrived;
mod batch;
mod check;
mod delivery;
mod entity;
mod migration;
mod retention;
mod store;

pub use self::arrived::Arrived;
pub use self::batch::Batch;
pub use self::check::{EventRule, check};
pub use self::delivery::take_in;
pub use self::migration::migrations;
pub use self::retention::pruner;
pub use self::store::{Seen, remember};
