//! The table `course_news`: one row per thing that happened in a course, however many are in it.

use lyceum_contracts::ids::CourseId;
use lyceum_contracts::notification::CourseNews;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "course_news")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) course_id: CourseId,
    /// Place in the course's sequence.
    pub(crate) seq: i64,
    pub(crate) kind: String,
    pub(crate) data: Json,
    pub(crate) created_at: OffsetDateTime,
}

impl ActiveModelBehavior for ActiveModel {}

/// What its listeners see of it.
impl From<Model> for CourseNews {
    fn from(row: Model) -> Self {
        Self {
            course_id: row.course_id,
            seq: row.seq,
            kind: row.kind,
            data: row.data,
            created_at: row.created_at,
        }
    }
}
