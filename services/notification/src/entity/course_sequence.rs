//! The table `course_sequences`: how far the sequence of each course has come.

use lyceum_contracts::ids::CourseId;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "course_sequences")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) course_id: CourseId,
    /// The last number given out; 0 before anything has happened.
    pub(crate) head_seq: i64,
    /// Up to here some of the sequence is deleted; after it each place is still told.
    pub(crate) floor_seq: i64,
    /// When the course was deleted. The row stays, so that an event which comes late finds the
    /// sequence closed instead of opening a new one.
    pub(crate) erased_at: Option<OffsetDateTime>,
}

impl ActiveModelBehavior for ActiveModel {}
