//! The queries of the relay.
//!
//! A claim is a lease: `available_at` moves to its end, and that very moment is what proves later
//! that the row is still ours. No row stays locked beyond its statement's transaction.

use lyceum_chassis::database::Database;
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, FromQueryResult, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use time::OffsetDateTime;

use crate::entity::{dead, waiting};
use crate::peer::Destination;

/// Takes up to `limit` rows for one destination that are due, oldest first, until `lease_end`.
///
/// Another relay's rows are skipped, not waited for. With nothing due this is one read: no
/// transaction, and on `SQLite` no turn to write.
pub(crate) async fn claim(
    database: &Database,
    destination: Destination,
    now: OffsetDateTime,
    lease_end: OffsetDateTime,
    limit: u64,
) -> Result<Vec<waiting::Model>, DbErr> {
    let due = waiting::Entity::find()
        .filter(waiting::Column::Destination.eq(destination.as_str()))
        .filter(waiting::Column::AvailableAt.lte(now));
    if due
        .clone()
        .select_only()
        .column(waiting::Column::Id)
        .limit(1)
        .count(database)
        .await?
        == 0
    {
        return Ok(Vec::new());
    }
    let transaction = database.begin_write().await?;
    let rows = due
        .order_by_asc(waiting::Column::Id)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(&transaction)
        .await?;
    let attempts = Expr::col(waiting::Column::Attempts).add(1);
    waiting::Entity::update_many()
        .col_expr(waiting::Column::AvailableAt, Expr::value(lease_end))
        .col_expr(waiting::Column::Attempts, attempts)
        .filter(waiting::Column::Id.is_in(rows.iter().map(|row| row.id)))
        .exec(&transaction)
        .await?;
    transaction.commit().await?;
    Ok(rows)
}

/// The peer has said yes: whoever holds the lease by now, the event is told.
pub(crate) async fn delete(
    database: &Database,
    ids: impl Iterator<Item = i64>,
) -> Result<(), DbErr> {
    waiting::Entity::delete_many()
        .filter(waiting::Column::Id.is_in(ids))
        .exec(database)
        .await?;
    Ok(())
}

/// Gives rows back, due at once; those another relay has claimed since are left to it.
pub(crate) async fn release(
    database: &Database,
    ids: impl Iterator<Item = i64>,
    lease_end: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    waiting::Entity::update_many()
        .col_expr(waiting::Column::AvailableAt, Expr::value(now))
        .filter(waiting::Column::Id.is_in(ids))
        .filter(waiting::Column::AvailableAt.eq(lease_end))
        .exec(database)
        .await?;
    Ok(())
}

/// Moves a row to the dead, once, whoever else may do the same.
pub(crate) async fn bury(
    database: &Database,
    row: waiting::Model,
    reason: String,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let transaction = database.begin_write().await?;
    let deleted = waiting::Entity::delete_by_id(row.id)
        .exec(&transaction)
        .await?;
    if deleted.rows_affected == 1 {
        let dead = dead::Model {
            id: row.id,
            event_id: row.event_id,
            kind: row.kind,
            payload: row.payload,
            traceparent: row.traceparent,
            occurred_at: row.occurred_at,
            attempts: row.attempts + 1,
            reason,
            died_at: now,
            destination: row.destination,
        };
        dead::Entity::insert(dead.into_active_model())
            .exec_without_returning(&transaction)
            .await?;
    }
    transaction.commit().await
}

/// How many rows wait, and since when the oldest does.
#[derive(Debug, Default, PartialEq, FromQueryResult)]
pub(crate) struct Backlog {
    pub(crate) pending: i64,
    pub(crate) oldest: Option<OffsetDateTime>,
}

/// Counts what one destination has not been told, claimed rows included.
pub(crate) async fn backlog(
    database: &Database,
    destination: Destination,
) -> Result<Backlog, DbErr> {
    let backlog = waiting::Entity::find()
        .filter(waiting::Column::Destination.eq(destination.as_str()))
        .select_only()
        .column_as(waiting::Column::Id.count(), "pending")
        .column_as(waiting::Column::OccurredAt.min(), "oldest")
        .into_model::<Backlog>()
        .one(database)
        .await?;
    Ok(backlog.unwrap_or_default())
}

/// Counts what one destination has refused.
pub(crate) async fn count_dead(
    database: &Database,
    destination: Destination,
) -> Result<u64, DbErr> {
    dead::Entity::find()
        .filter(dead::Column::Destination.eq(destination.as_str()))
        .count(database)
        .await
}
