//! Work that takes longer than a request: answered 202 with a job, which is asked for until done.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::ids::JobId;
use crate::problem::Fault;
use crate::role::Role;
use crate::schema;
use crate::words::words;

/// A text that names no state, or no kind, of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no job is or does that")]
pub struct UnknownWord;

words! {
    /// What a job does.
    JobKind or UnknownWord {
        /// Invites the people of an uploaded list.
        Import = "import",
        /// Tells everybody something.
        Announcement = "announcement",
    }
}

words! {
    /// Where a job is in its life; the last three are for good.
    JobStatus or UnknownWord {
        /// Waits for its turn, or for another try.
        Queued = "queued",
        /// At work.
        Running = "running",
        /// Done; `result` says what came of it.
        Succeeded = "succeeded",
        /// Given up; `error` says why. What was done by then stays done.
        Failed = "failed",
        /// Ended on request. What was done by then stays done.
        Cancelled = "cancelled",
    }
}

impl JobStatus {
    /// Whether nothing more happens.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// A job as its owner and admins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Where it is in its life.
    pub status: JobStatus,
    /// How far it is.
    pub progress: Progress,
    /// What came of it, once it has succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<JobResult>,
    /// Why it was given up, for the person who began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it was asked for (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it last got further (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// How far a job is, in lines of an import or people of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// Done so far.
    pub done: u64,
    /// All there is to do, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

/// What came of a job, by its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum JobResult {
    /// Of an import.
    Import(ImportResult),
    /// Of an announcement.
    Announcement(AnnouncementResult),
}

/// What came of an import; every line of the body that was not blank is in one of the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportResult {
    /// Accounts made, each with an invitation.
    pub invited: u64,
    /// Lines whose address had an account by then, an earlier line's included.
    pub taken: u64,
    /// Lines that could not be read.
    pub faulty: u64,
}

/// What came of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnouncementResult {
    /// People it is on its way to.
    pub told: u64,
}

/// A line of an import that made no account, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineFault {
    /// Its number in the body, counted from 1, blank lines included.
    pub line: u64,
    /// What is wrong with it; pointers are into the line, `#/email`.
    pub errors: Vec<Fault>,
}

/// One line of the body of `POST /users/import`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ImportLine {
    /// Where the person is reached; unique without regard to case.
    #[schema(schema_with = schema::email)]
    pub email: String,
    /// 1 to 200 characters, one line.
    #[schema(schema_with = schema::full_name)]
    pub full_name: String,
    /// Student when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// Body of `POST /users/announcements`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostAnnouncement {
    /// 1 to 200 characters, one line.
    #[schema(schema_with = schema::title)]
    pub title: String,
    /// 1 to 5000 characters; line feeds separate lines.
    #[schema(schema_with = schema::body_text)]
    pub text: String,
    /// Whom to tell, each role once; everybody when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::roles)]
    pub roles: Option<Vec<Role>>,
}

/// Personal data stays out of whatever prints this.
impl fmt::Debug for ImportLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportLine").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_reads_as_it_is_documented() {
        for (status, result) in [
            (
                "succeeded",
                serde_json::json!({"invited": 2, "taken": 1, "faulty": 0}),
            ),
            ("succeeded", serde_json::json!({"told": 7})),
        ] {
            let json = serde_json::json!({
                "id": 1, "kind": "import", "status": status, "progress": {"done": 3, "total": 3},
                "result": result,
                "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:06Z",
            });
            let job: Job = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(&job).unwrap(), json);
        }
    }
}
