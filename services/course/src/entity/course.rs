//! The table `courses`.

use lyceum_contracts::ids::{CourseId, UserId};
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "courses")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: CourseId,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) status: Status,
    pub(crate) instructor_id: UserId,
    /// Places; none means no limit.
    pub(crate) capacity: Option<i64>,
    /// Active rows of `enrolments`, kept in the transaction that changes them.
    pub(crate) enrolled: i64,
    /// Counts what is written about the course; places taken are not, so that a busy course can
    /// still be edited under `If-Match`.
    pub(crate) version: i64,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) published_at: Option<OffsetDateTime>,
    #[sea_orm(has_many)]
    pub(crate) enrolments: HasMany<super::enrolment::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

/// The column `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub(crate) enum Status {
    Draft,
    Published,
}
