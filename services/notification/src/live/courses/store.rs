//! What streams of courses read.

use lyceum_contracts::ids::CourseId;
use lyceum_contracts::notification::CourseNews;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::entity::{course_news, course_sequence};
use crate::live::domain::Position;

/// How far a course's sequence has come; none when the course is gone.
pub(in crate::live) async fn position(
    connection: &impl ConnectionTrait,
    course: CourseId,
) -> Result<Option<Position>, DbErr> {
    let row = course_sequence::Entity::find_by_id(course)
        .one(connection)
        .await?;
    let (head_seq, floor_seq) = match row {
        Some(row) if row.erased_at.is_some() => return Ok(None),
        Some(row) => (row.head_seq, row.floor_seq),
        // Nothing has happened yet.
        None => (0, 0),
    };
    Ok(Some(Position {
        head_seq,
        floor_seq,
        count: None,
    }))
}

/// What has happened in a course after `seq`, in order, at most `limit`.
pub(in crate::live) async fn after(
    connection: &impl ConnectionTrait,
    course: CourseId,
    seq: i64,
    limit: u64,
) -> Result<Vec<CourseNews>, DbErr> {
    use course_news::{Column, Entity};
    let rows = Entity::find()
        .filter(Column::CourseId.eq(course))
        .filter(Column::Seq.gt(seq))
        .order_by_asc(Column::Seq)
        .limit(limit)
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(CourseNews::from).collect())
}

/// How far the sequences of several courses have come; courses without one are left out.
pub(in crate::live) async fn heads(
    connection: &impl ConnectionTrait,
    courses: Vec<CourseId>,
) -> Result<Vec<course_sequence::Model>, DbErr> {
    course_sequence::Entity::find()
        .filter(course_sequence::Column::CourseId.is_in(courses))
        .all(connection)
        .await
}
