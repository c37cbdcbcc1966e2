//! Accounts by the page, searched, filtered and sorted; and all that match in one stream.

mod export;
mod filter;
pub(crate) mod handlers;
mod query;

pub(crate) use self::filter::Filter;
pub(crate) use self::query::Listing;
use self::query::SortBy;
