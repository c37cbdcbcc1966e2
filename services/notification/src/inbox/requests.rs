//! What is asked of an inbox as a whole.

use lyceum_chassis::http::{Fields, FromFields, Rule};
use utoipa::ToSchema;

/// Body of `POST /notifications/read-all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
pub(crate) struct ReadAll {
    /// The `seq` of the newest notification that was seen; all there are when absent.
    #[schema(minimum = 0)]
    pub(crate) up_to: Option<i64>,
}

#[derive(Debug, thiserror::Error)]
#[error("must be 0 or more")]
struct NoPlace;

impl Rule for NoPlace {
    fn code(&self) -> &'static str {
        "out_of_range"
    }
}

impl FromFields for ReadAll {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let up_to = fields.optional("up_to", |seq: i64| (seq >= 0).then_some(seq).ok_or(NoPlace));
        Some(Self { up_to: up_to? })
    }
}
