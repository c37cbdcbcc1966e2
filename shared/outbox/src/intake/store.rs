//! Which events have had their effect.

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Set, TryInsertResult};
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
