//! Each course's sequence: what is told takes the next place of it.
//!
//! Taking a place locks the course's row until the transaction ends, so that places become visible
//! in order and without gaps, as with people.

use lyceum_contracts::ids::CourseId;
use lyceum_contracts::notification::CourseNews;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, NotSet, QueryFilter, Set,
};
use time::OffsetDateTime;

use super::domain::Happening;
use crate::entity::{course_news, course_sequence};

/// Writes what has happened, for everybody in the course; none when the course is gone, for an
/// event may come late.
pub(crate) async fn tell(
    transaction: &impl ConnectionTrait,
    happening: Happening,
    now: OffsetDateTime,
) -> Result<Option<CourseNews>, DbErr> {
    let Some(seq) = advance(transaction, happening.course).await? else {
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
    use course_sequence::{Column, Entity};
    let head = Expr::col((Entity, Column::HeadSeq));
    let close = OnConflict::column(Column::CourseId)
        .update_column(Column::ErasedAt)
        .value(Column::FloorSeq, head)
        .to_owned();
    Entity::insert(row(course, 0, Some(now)))
        .on_conflict(close)
        .exec_without_returning(transaction)
        .await?;
    course_news::Entity::delete_many()
        .filter(course_news::Column::CourseId.eq(course))
        .exec(transaction)
        .await
        .map(drop)
}

/// What stands up to `seq` may be deleted from now on: who has seen less starts anew.
pub(super) async fn raise_floor(
    transaction: &impl ConnectionTrait,
    course: CourseId,
    seq: i64,
) -> Result<(), DbErr> {
    use course_sequence::{Column, Entity};
    Entity::update_many()
        .col_expr(Column::FloorSeq, Expr::value(seq))
        .filter(Column::CourseId.eq(course))
        .filter(Column::FloorSeq.lt(seq))
        .exec(transaction)
        .await
        .map(drop)
}

/// Takes the next place; none when the sequence has ended.
async fn advance(
    transaction: &impl ConnectionTrait,
    course: CourseId,
) -> Result<Option<i64>, DbErr> {
    use course_sequence::{Column, Entity};
    let head = Expr::col((Entity, Column::HeadSeq));
    let next = OnConflict::column(Column::CourseId)
        .value(Column::HeadSeq, head.add(1))
        .action_and_where(Expr::col((Entity, Column::ErasedAt)).is_null())
        .to_owned();
    let row = Entity::insert(row(course, 1, None))
        .on_conflict(next)
        .exec_with_returning(transaction)
        .await;
    match row {
        Ok(row) => Ok(Some(row.head_seq)),
        // Nothing was written, so there is no row to return.
        Err(DbErr::RecordNotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn row(
    course: CourseId,
    head_seq: i64,
    erased_at: Option<OffsetDateTime>,
) -> course_sequence::ActiveModel {
    course_sequence::ActiveModel {
        course_id: Set(course),
        head_seq: Set(head_seq),
        floor_seq: Set(0),
        erased_at: Set(erased_at),
    }
}
