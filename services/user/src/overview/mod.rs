//! Everything about one person in one answer, gathered concurrently.

mod gather;
pub(crate) mod handlers;

pub(crate) use self::gather::OverviewError;
