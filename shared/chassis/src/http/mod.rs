//! How requests are read and answers are shaped, the same in every service.
//!
//! Extractors here replace the framework's own: they answer every fault in the format of
//! [`lyceum_contracts::problem`], and name all faults of a request at once.

mod answer;
mod body;
mod cursor;
mod fields;
mod json;
mod no_body;
mod onward;
mod origin;
mod page;
mod path;
mod precondition;
mod problem;
mod query;
mod sorted;

pub use self::answer::Answer;
pub use self::body::{Body, BodyLimit, parse_line};
pub(crate) use self::fields::expectation;
pub use self::fields::{Change, Fields, FromFields, Rule};
pub use self::no_body::{NoBody, OptionalBody};
pub use self::onward::Onward;
pub use self::origin::origin_authority;
pub(crate) use self::page::MAX_SKIP;
pub use self::page::{Window, page, page_of};
pub use self::path::Id;
pub use self::precondition::{IfMatch, IfNoneMatch, etag};
pub use self::problem::ApiError;
pub use self::query::Query;
pub use self::sorted::{Position, Sort, SortField, Sorted};
