//! The table `enrolments`: one row per registration; a person who comes back gets a new one.

use lyceum_contracts::ids::{CourseId, EnrolmentId, UserId};
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "enrolments")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: EnrolmentId,
    pub(crate) course_id: CourseId,
    pub(crate) user_id: UserId,
    pub(crate) status: Status,
    pub(crate) enrolled_at: OffsetDateTime,
    pub(crate) dropped_at: Option<OffsetDateTime>,
    #[sea_orm(belongs_to, from = "course_id", to = "id")]
    pub(crate) course: BelongsTo<super::course::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

/// The column `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub(crate) enum Status {
    Active,
    Dropped,
}
