//! Which events have had their effect.

use std::collections::HashSet;

use lyceum_chassis::database::{Kind, Rows};
use sea_orm::{ConnectionTrait, DbErr};
use time::OffsetDateTime;
use uuid::Uuid;

/// Whether an event has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Not before; from now on it has.
    Now,
    /// Some time ago.
    Before,
}

/// Remembers events by their ids, and says of each whether it was seen before; one that is given
/// twice was, the second time. Of several transactions that remember the same one at once, the
/// others wait for the first and then find it seen, unless it was rolled back.
///
/// # Errors
/// When the rows cannot be written; the caller then gives up its transaction.
pub async fn remember(
    transaction: &impl ConnectionTrait,
    events: impl IntoIterator<Item = Uuid>,
    now: OffsetDateTime,
) -> Result<Vec<Seen>, DbErr> {
    let ids: Vec<String> = events.into_iter().map(|id| id.to_string()).collect();
    let rows = ids.iter().map(|id| [id.as_str().into()]);
    let rows = Rows::new([("event_id", Kind::Text)], rows);
    // Everybody locks them in the same order.
    let statement = rows.statement(transaction.get_database_backend(), [now.into()], |rows| {
        format!(
            "INSERT INTO processed_events (event_id, processed_at) \
             SELECT event_id, $1 FROM {rows} WHERE true ORDER BY event_id \
             ON CONFLICT (event_id) DO NOTHING RETURNING event_id"
        )
    })?;
    let written = transaction.query_all_raw(statement).await?;
    let mut new = written
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect::<Result<HashSet<String>, _>>()?;
    let seen = |id| {
        if new.remove(id) {
            Seen::Now
        } else {
            Seen::Before
        }
    };
    Ok(ids.iter().map(seen).collect())
}
