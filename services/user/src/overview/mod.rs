//! Everything about one person in one answer, gathered concurrently.

mod gather;
pub(crate) mod handlers;
mod query;

pub(crate) use self::gather::OverviewError;
