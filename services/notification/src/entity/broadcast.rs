//! The table `broadcasts`: one row per notice to many people.

use lyceum_contracts::broadcast::{AudienceKind, Broadcast, BroadcastProgress};
use lyceum_contracts::ids::{BroadcastId, CourseId, UserId};
use lyceum_contracts::job::JobStatus;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "broadcasts")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: BroadcastId,
    /// Who asked for it; nobody once they are erased.
    pub(crate) author_id: Option<UserId>,
    pub(crate) audience: AudienceKind,
    /// Of a course.
    pub(crate) course_id: Option<CourseId>,
    /// Of listed people: each once, in the order of their ids.
    pub(crate) user_ids: Option<Json>,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) link: Option<String>,
    pub(crate) collapse_key: Option<String>,
    pub(crate) status: JobStatus,
    /// The place of the walk: everybody it is for up to this id is told, or left out; 0 at first.
    pub(crate) after_id: i64,
    pub(crate) told: i64,
    pub(crate) skipped: i64,
    pub(crate) total: Option<i64>,
    /// Why it was given up, or what it waits for.
    pub(crate) error: Option<String>,
    /// How often it has failed since it last got further.
    pub(crate) attempts: i64,
    /// How often it was claimed: who holds an older number holds nothing.
    pub(crate) claims: i64,
    /// Anybody's from then on: the end of a pause, or of the lease of whoever works on it.
    pub(crate) due_at: OffsetDateTime,
    /// Of the request that asked for it.
    pub(crate) traceparent: Option<String>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
}

impl ActiveModelBehavior for ActiveModel {}

/// What an admin sees of it.
impl From<Model> for Broadcast {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            audience: row.audience,
            course_id: row.course_id,
            title: row.title,
            body: row.body,
            link: row.link,
            collapse_key: row.collapse_key,
            status: row.status,
            progress: BroadcastProgress {
                told: row.told.unsigned_abs(),
                skipped: row.skipped.unsigned_abs(),
                total: row.total.map(i64::unsigned_abs),
            },
            error: row.error,
            author_id: row.author_id,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
