//! Messages to receivers: written with the event that causes them, claimed when they are due, sent
//! until they are accepted, listed for admins, forgotten when they are old.

mod commands;
mod courier;
pub(crate) mod handlers;
mod metrics;
mod report;
mod retention;
pub(super) mod store;
mod targets;
mod worker;

pub(crate) use self::courier::Courier;
pub(crate) use self::store::{Message, erase};
