//! Everything about one person in one answer.

use serde::{Deserialize, Serialize, Serializer};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::User;
use crate::course::{EnrolledCourse, UserStats};

/// Everything about one person in one answer, gathered concurrently.
///
/// A part whose owner cannot answer in time is empty and named in `degraded`; the answer is
/// still 200.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    /// From the user service's own database; without it there is no answer.
    pub user: User,
    /// From the course service; `[]` when degraded.
    pub courses: Vec<EnrolledCourse>,
    /// From the course service; `{}` when degraded.
    #[serde(
        serialize_with = "none_as_empty_object",
        deserialize_with = "empty_object_as_none"
    )]
    #[schema(value_type = StatsOrNothing)]
    pub stats: Option<UserStats>,
    /// From the notification service, 99 at most; `null` when degraded.
    pub unread: Option<u64>,
    /// The parts that are missing, and why.
    pub degraded: Vec<Degraded>,
    /// How old the parts of others are.
    #[serde(default)]
    pub parts: OverviewParts,
}

/// How old each part of an overview is; `null` for one that is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OverviewParts {
    /// Of `courses`.
    pub courses: Option<PartAge>,
    /// Of `stats`.
    pub stats: Option<PartAge>,
    /// Of `unread`.
    pub unread: Option<PartAge>,
}

/// How old one part is. A moment and no age: the same part looks the same at every look, and so
/// does the `ETag` of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartAge {
    /// When its owner said so (UTC, whole seconds), if that was for an earlier answer; `null` when
    /// it was asked for this one.
    #[serde(with = "time::serde::rfc3339::option")]
    pub kept_since: Option<OffsetDateTime>,
    /// Whether it is older than it should be, because its owner cannot be asked.
    pub stale: bool,
}

/// One part of an answer that could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Degraded {
    /// The field that is empty.
    pub part: String,
    /// A stable word: `circuit_open`, `timeout`, `unreachable` …, or `stale`: it is there, but old.
    pub reason: String,
}

/// The figures, or an object without any; for descriptions of the API alone.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "never made, only described")]
enum StatsOrNothing {
    Figures(UserStats),
    Nothing(Nothing),
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[expect(
    clippy::ref_option,
    reason = "serde calls it with a reference to the field"
)]
fn none_as_empty_object<S: Serializer>(
    stats: &Option<UserStats>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match stats {
        Some(stats) => stats.serialize(serializer),
        None => serde_json::Map::new().serialize(serializer),
    }
}

fn empty_object_as_none<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<UserStats>, D::Error> {
    let fields = serde_json::Map::deserialize(deserializer)?;
    if fields.is_empty() {
        return Ok(None);
    }
    serde_json::from_value(fields.into())
        .map(Some)
        .map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degraded_overview_has_empty_parts_and_reads_back() {
        let json = serde_json::json!({
            "user": {"id": 1, "email": "ada@example.org", "full_name": "Ada", "role": "student",
                     "version": 1, "created_at": "2026-01-02T03:04:05Z", "status": "active"},
            "courses": [], "stats": {}, "unread": null,
            "degraded": [{"part": "stats", "reason": "timeout"}],
            "parts": {"courses": {"kept_since": null, "stale": false}, "stats": null,
                      "unread": {"kept_since": "2026-01-02T03:04:05Z", "stale": true}},
        });
        let overview: Overview = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(overview.stats, None);
        assert_eq!(serde_json::to_value(&overview).unwrap(), json);
    }
}
