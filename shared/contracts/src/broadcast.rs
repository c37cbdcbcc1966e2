//! Broadcasts: one notice to many people, told by work that goes on after it was asked for.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::ids::{BroadcastId, CourseId, UserId};
use crate::job::JobStatus;
use crate::schema;
use crate::words::words;

/// The most people a broadcast may list by their ids.
pub const MAX_LISTED: usize = 1_000;

/// The text names no kind of audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be all, course or users")]
pub struct UnknownAudience;

words! {
    /// Whom a broadcast is for.
    AudienceKind or UnknownAudience {
        /// Everybody who may sign in.
        All = "all",
        /// Who holds a place in a course.
        Course = "course",
        /// Who is listed.
        Users = "users",
    }
}

/// Body of `POST /broadcasts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostBroadcast {
    /// Whom to tell.
    pub audience: Audience,
    /// 1 to 200 characters, one line.
    #[schema(schema_with = schema::title)]
    pub title: String,
    /// 1 to 5000 characters; line feeds separate lines.
    #[schema(schema_with = schema::body_text)]
    pub body: String,
    /// Where it leads: a path of the page people use, `/courses/7`, or an address with `https://`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::link)]
    pub link: Option<String>,
    /// A later broadcast of the same key takes the place of this one where it still waits to be
    /// read: 1 to 64 letters, digits, `.`, `_`, `:` and `-`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::collapse_key)]
    pub collapse_key: Option<String>,
}

/// Whom to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Audience {
    /// Everybody who may sign in.
    All {},
    /// Who holds a place in a course.
    Course {
        /// The course.
        course_id: CourseId,
    },
    /// Who is listed; who has no account is left out.
    Users {
        /// 1 to 1000 people.
        #[schema(min_items = 1, max_items = 1_000)]
        user_ids: Vec<UserId>,
    },
}

/// A broadcast as admins see it: what is told, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Broadcast {
    /// Its id.
    pub id: BroadcastId,
    /// Whom it is for.
    pub audience: AudienceKind,
    /// The course whose people it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course_id: Option<CourseId>,
    /// One line.
    pub title: String,
    /// What is told.
    pub body: String,
    /// Where it leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// A later one of the same key takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collapse_key: Option<String>,
    /// Where it is in its life.
    pub status: JobStatus,
    /// How far it is.
    pub progress: BroadcastProgress,
    /// Why it was given up, or what it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Who asked for it; nobody once their account is erased.
    pub author_id: Option<UserId>,
    /// When it was asked for (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it last got further (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// How far a broadcast is, in people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BroadcastProgress {
    /// Who have it in their inbox.
    pub told: u64,
    /// Who were left out: they have no account, or none any more.
    pub skipped: u64,
    /// How many it is for, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_audience_reads_as_it_is_documented() {
        let (course_id, ada) = (7.try_into().unwrap(), 1.try_into().unwrap());
        let user_ids = vec![ada];
        for (audience, json) in [
            (Audience::All {}, json!({"kind": "all"})),
            (
                Audience::Course { course_id },
                json!({"kind": "course", "course_id": 7}),
            ),
            (
                Audience::Users { user_ids },
                json!({"kind": "users", "user_ids": [1]}),
            ),
        ] {
            assert_eq!(serde_json::to_value(&audience).unwrap(), json);
            assert_eq!(serde_json::from_value::<Audience>(json).unwrap(), audience);
        }
    }
}
