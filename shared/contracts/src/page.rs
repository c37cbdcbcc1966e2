//! The shape of every list.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Rows a list answers with when the caller names no `limit` (the guide's number).
pub const DEFAULT_LIMIT: u64 = 100;

/// The most rows one answer holds; more is refused with 422, never clamped.
pub const MAX_LIMIT: u64 = 1000;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The rows, in the order the route documents.
    pub items: Vec<T>,
    /// Opaque; pass it as `cursor` to go on. `null` on the last page.
    pub next_cursor: Option<String>,
    /// Rows on all pages together, if it was asked for with `include_total=true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}
