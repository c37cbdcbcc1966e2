//! Takes in what happened in the other services: whoever deletes an account is erased here.
//!
//! An event that has been seen does nothing; the primary key of `processed_events` decides, in the
//! transaction of the effect. Events that are of no interest here count as taken in.

mod commands;
pub(crate) mod handlers;
