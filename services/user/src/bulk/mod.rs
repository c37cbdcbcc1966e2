//! Many accounts in one request, made or changed by an admin.
//!
//! Whatever the number of items, each table is written by one statement, in one transaction with
//! the events. Items are judged in [`domain`], which asks nobody; what the database alone knows is
//! found out by writing.

mod changes;
mod create;
mod domain;
pub(crate) mod handlers;
mod opening;
mod requests;
mod store;
mod update;

use lyceum_chassis::http::BodyLimit;

pub(crate) use self::create::CreateError;
pub(crate) use self::opening::{Opening, open};

/// The most bytes of a body. A thousand items have up to 1.2 MB of addresses and names, and up to
/// 2.7 MB if every character of a name is escaped as JSON escapes an emoji.
pub(crate) const BODY_LIMIT: BodyLimit = BodyLimit(4 * 1024 * 1024);
