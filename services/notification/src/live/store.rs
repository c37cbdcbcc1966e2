//! What streams read. Each query is one statement, so that its parts belong together.

use lyceum_contracts::ids::UserId;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};

use super::domain::Position;
use crate::entity::{notification, recipient};

#[derive(FromQueryResult)]
struct PositionRow {
    head_seq: i64,
    unread: i64,
}

/// How far a person's sequence has come, and how much of it waits to be read.
pub(super) async fn position(
    connection: &impl ConnectionTrait,
    user: UserId,
) -> Result<Position, DbErr> {
    let unread = notification::Entity::find()
        .select_only()
        .expr(Expr::col(notification::Column::Id).count())
        .filter(notification::Column::UserId.eq(user))
        .filter(notification::Column::ReadAt.is_null())
        .into_query();
    let row = recipient::Entity::find_by_id(user)
        .select_only()
        .column(recipient::Column::HeadSeq)
        .expr_as(unread, "unread")
        .into_model::<PositionRow>()
        .one(connection)
        .await?;
    // Nobody has told this person anything yet.
    let row = row.unwrap_or(PositionRow {
        head_seq: 0,
        unread: 0,
    });
    Ok(Position {
        head_seq: row.head_seq,
        unread: row.unread.unsigned_abs(),
    })
}

/// The next notifications after a place in a person's sequence, in order, at most `limit`.
pub(super) async fn after(
    connection: &impl ConnectionTrait,
    user: UserId,
    seq: i64,
    limit: u64,
) -> Result<Vec<notification::Model>, DbErr> {
    notification::Entity::find()
        .filter(notification::Column::UserId.eq(user))
        .filter(notification::Column::Seq.gt(seq))
        .order_by_asc(notification::Column::Seq)
        .limit(limit)
        .all(connection)
        .await
}

/// How far the sequences of several people have come; people without one are left out.
pub(super) async fn heads(
    connection: &impl ConnectionTrait,
    people: &[UserId],
) -> Result<Vec<recipient::Model>, DbErr> {
    recipient::Entity::find()
        .filter(recipient::Column::UserId.is_in(people.iter().copied()))
        .all(connection)
        .await
}
