//! The table `jobs`: work that goes on after its request was answered.

use lyceum_contracts::ids::{JobId, UserId};
use lyceum_contracts::job::{JobKind, JobStatus};
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: JobId,
    pub(crate) kind: JobKind,
    /// Who asked for it.
    pub(crate) owner_id: UserId,
    pub(crate) status: JobStatus,
    pub(crate) done: i64,
    pub(crate) total: Option<i64>,
    /// What was asked, by kind.
    pub(crate) input: Json,
    /// How far it is, by kind; null before the first step.
    pub(crate) cursor: Option<Json>,
    pub(crate) result: Option<Json>,
    pub(crate) error: Option<String>,
    /// How often it was begun since it last got further.
    pub(crate) attempts: i64,
    /// How often it was claimed at all; the number of a claim is what proves it is the newest.
    pub(crate) claims: i64,
    /// Anybody's from then on: the end of a pause, or of the lease of whoever works on it.
    pub(crate) due_at: OffsetDateTime,
    /// The trace context of the request that asked for it.
    pub(crate) traceparent: Option<String>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
