//! Each person's sequence: how far it has come, and from where on it is whole.
//!
//! Whoever writes to an inbox takes the next place first. That locks the person's row until the
//! transaction ends, so that places become visible in order and without gaps, however many write
//! to one person at once; and everybody locks in this order: the person, then what is theirs.

use std::collections::BTreeMap;

use lyceum_chassis::database::{Kind, Rows};
use lyceum_contracts::ids::UserId;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryResult, Set};
use time::OffsetDateTime;

use crate::entity::recipient::{ActiveModel, Column, Entity};

/// Takes so many places of each of these sequences at once, and answers the last place each has come
/// to; those that have ended are left out. To take none is to open a sequence, or to keep it open:
/// nobody ends it until the transaction does.
///
/// Whoever writes to several takes them here together, lowest id first, so that two who do so
/// cannot wait for one another. Events of two services may overtake one another: the first notice
/// can come before the account does, or after its end. A transaction that is rolled back gives the
/// places back.
pub(crate) async fn take(
    transaction: &impl ConnectionTrait,
    places: &BTreeMap<UserId, i64>,
) -> Result<BTreeMap<UserId, i64>, DbErr> {
    if places.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = places
        .iter()
        .map(|(user, places)| [user.get().into(), (*places).into()]);
    let rows = Rows::new(
        [("user_id", Kind::Integer), ("places", Kind::Integer)],
        rows,
    );
    let statement = rows.statement(transaction.get_database_backend(), [], |rows| {
        format!(
            "INSERT INTO recipients (user_id, head_seq, floor_seq) \
             SELECT user_id, places, 0 FROM {rows} WHERE true ORDER BY user_id \
             ON CONFLICT (user_id) DO UPDATE SET head_seq = recipients.head_seq + excluded.head_seq \
             WHERE recipients.erased_at IS NULL RETURNING user_id, head_seq"
        )
    })?;
    let heads = transaction.query_all_raw(statement).await?;
    let head = |row: &QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    heads.iter().map(head).collect()
}

/// Takes the next place of one sequence; none when it has ended.
pub(super) async fn advance(
    transaction: &impl ConnectionTrait,
    user: UserId,
) -> Result<Option<i64>, DbErr> {
    let heads = take(transaction, &BTreeMap::from([(user, 1)])).await?;
    Ok(heads.get(&user).copied())
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
    let row = ActiveModel {
        user_id: Set(user),
        head_seq: Set(0),
        floor_seq: Set(0),
        erased_at: Set(Some(now)),
    };
    Entity::insert(row)
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
