//! What happens in a course, at its place in the course's sequence.

use lyceum_contracts::ids::CourseId;
use lyceum_contracts::notification::CourseNews;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, NotSet, QueryFilter, Set,
};
use time::OffsetDateTime;

use super::domain::Happening;
use crate::entity::course_news;
use crate::sequence;

/// Writes what has happened, for everybody in the course; none when the course is gone, for an
/// event may come late.
pub(crate) async fn tell(
    transaction: &impl ConnectionTrait,
    happening: Happening,
    now: OffsetDateTime,
) -> Result<Option<CourseNews>, DbErr> {
    let Some(seq) = sequence::advance(transaction, happening.course).await? else {
        return Ok(None);
    };
    let row = course_news::ActiveModel {
        id: NotSet,
        course_id: Set(happening.course),
        seq: Set(seq),
        kind: Set(happening.kind.to_owned()),
        data: Set(happening.data),
        created_at: Set(now),
    };
    row.insert(transaction).await.map(|row| Some(row.into()))
}

/// Forgets everything of a course; its sequence has ended.
pub(crate) async fn erase(
    transaction: &impl ConnectionTrait,
    course: CourseId,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    sequence::end(transaction, course, now).await?;
    course_news::Entity::delete_many()
        .filter(course_news::Column::CourseId.eq(course))
        .exec(transaction)
        .await
        .map(drop)
}
