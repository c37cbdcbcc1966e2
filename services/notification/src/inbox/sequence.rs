//! Each person's sequence: how far it has come, and from where on it is whole.
//!
//! Whoever writes to an inbox takes the next place first. That locks the person's row until the
//! transaction ends, so that places become visible in order and without gaps, however many write
//! to one person at once; and everybody locks in this order: the person, then what is theirs.

use lyceum_contracts::ids::UserId;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};
use time::OffsetDateTime;

use crate::entity::recipient::{ActiveModel, Column, Entity};

/// Begins somebody's sequence, unless it has begun.
pub(crate) async fn open(connection: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    Entity::insert(row(user, 0, None))
        .on_conflict_do_nothing()
        .exec_without_returning(connection)
        .await
        .map(drop)
}

/// Takes the next place; none when the sequence has ended. Events of two services may overtake one
/// another, so the first notice can come before the account does, or after its end. A transaction
/// that is rolled back gives the place back.
pub(super) async fn advance(
    transaction: &impl ConnectionTrait,
    user: UserId,
) -> Result<Option<i64>, DbErr> {
    let head = Expr::col((Entity, Column::HeadSeq));
    let next = OnConflict::column(Column::UserId)
        .value(Column::HeadSeq, head.add(1))
        .action_and_where(Expr::col((Entity, Column::ErasedAt)).is_null())
        .to_owned();
    let row = Entity::insert(row(user, 1, None))
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

/// Whether somebody's sequence has ended.
pub(crate) async fn is_closed(
    connection: &impl ConnectionTrait,
    user: UserId,
) -> Result<bool, DbErr> {
    let recipient = Entity::find_by_id(user).one(connection).await?;
    Ok(recipient.is_some_and(|recipient| recipient.erased_at.is_some()))
}

/// Ends somebody's sequence for good.
pub(super) async fn end(
    transaction: &impl ConnectionTrait,
    user: UserId,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let head = Expr::col((Entity, Column::HeadSeq));
    let close = OnConflict::column(Column::UserId)
        .update_column(Column::ErasedAt)
        .value(Column::FloorSeq, head)
        .to_owned();
    Entity::insert(row(user, 0, Some(now)))
        .on_conflict(close)
        .exec_without_returning(transaction)
        .await
        .map(drop)
}

/// What stands up to `seq` may be deleted from now on: who has seen less starts anew.
pub(super) async fn raise_floor(
    transaction: &impl ConnectionTrait,
    user: UserId,
    seq: i64,
) -> Result<(), DbErr> {
    let floor =
        Expr::case(Expr::col(Column::FloorSeq).lt(seq), seq).finally(Expr::col(Column::FloorSeq));
    Entity::update_many()
        .col_expr(Column::FloorSeq, floor.into())
        .filter(Column::UserId.eq(user))
        .exec(transaction)
        .await
        .map(drop)
}

fn row(user: UserId, head_seq: i64, erased_at: Option<OffsetDateTime>) -> ActiveModel {
    ActiveModel {
        user_id: Set(user),
        head_seq: Set(head_seq),
        floor_seq: Set(0),
        erased_at: Set(erased_at),
    }
}
