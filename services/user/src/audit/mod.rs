//! Security events, kept for admins to read: who did what to whose account, and when.
//!
//! Each is written in the transaction of what it tells, so there is no effect without its entry and
//! no entry without its effect. An entry holds ids alone: it outlives the account it is about.

pub(crate) mod handlers;
mod listing;
mod retention;
mod store;

pub(crate) use lyceum_contracts::audit::Action;

pub(crate) use self::retention::pruner;
pub(crate) use self::store::{Record, record, record_all};
