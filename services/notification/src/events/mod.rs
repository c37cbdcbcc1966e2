//! Takes in what happened in the other services and lets it have its effect, once.
//!
//! Who is told what is one table, in `domain`. An event that has been seen does nothing; the
//! primary key of `processed_events` decides, in the transaction of the effect.

mod commands;
pub(crate) mod domain;
pub(crate) mod handlers;
pub(crate) mod retention;
