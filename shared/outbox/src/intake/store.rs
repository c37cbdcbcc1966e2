//! Which events have had their effect.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Set,
    TryInsertResult,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::entity as processed_event;

/// Whether an event has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Not before; from now on it has.
    Now,
    /// Some time ago.
    Before,
}

/// Remembers an event. Of several transactions that remember the same one at once, the others
/// wait for the first and then find it seen, unless it was rolled back.
///
/// # Errors
/// When the row cannot be written; the caller then gives up its transaction.
pub async fn remember(
    transaction: &impl ConnectionTrait,
    event_id: Uuid,
    now: OffsetDateTime,
) -> Result<Seen, DbErr> {
    let row = processed_event::ActiveModel {
        event_id: Set(event_id.to_string()),
        processed_at: Set(now),
    };
    let inserted = processed_event::Entity::insert(row)
        .on_conflict_do_nothing()
        .exec_without_returning(transaction)
        .await?;
    Ok(match inserted {
        TryInsertResult::Inserted(1..) => Seen::Now,
        TryInsertResult::Inserted(0) | TryInsertResult::Conflicted | TryInsertResult::Empty => {
            Seen::Before
        }
    })
}

/// Forgets up to `limit` events that had their effect before `moment`; how many it were. A repeat
/// of one that is forgotten has its effect again.
///
/// # Errors
/// When the database fails.
pub async fn forget(
    connection: &impl ConnectionTrait,
    moment: OffsetDateTime,
    limit: u64,
) -> Result<u64, DbErr> {
    let old = processed_event::Entity::find()
        .select_only()
        .column(processed_event::Column::EventId)
        .filter(processed_event::Column::ProcessedAt.lt(moment))
        .limit(limit)
        .into_query();
    let deleted = processed_event::Entity::delete_many()
        .filter(processed_event::Column::EventId.in_subquery(old))
        .exec(connection)
        .await?;
    Ok(deleted.rows_affected)
}
