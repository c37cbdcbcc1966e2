//! Lets events have their effects, in one transaction with the memory of them.

use lyceum_contracts::event::{Envelope, Event};
use lyceum_outbox::intake::{Arrived, Seen, remember};
use sea_orm::DbErr;
use time::OffsetDateTime;

use crate::enrolments;
use crate::state::State;

/// How many of these events, from the first on, have their effects in one transaction: those that
/// have none here. To erase somebody is one of its own.
pub(super) fn together(events: &[Envelope]) -> usize {
    let erases = |it: &Envelope| matches!(it.event, Event::UserDeleted { .. });
    events.iter().take_while(|it| !erases(it)).count().max(1)
}

/// Takes events in that are [`together`], and says of each whether it was new.
pub(super) async fn take_in(
    state: &State,
    arrived: &[Arrived<'_>],
    now: OffsetDateTime,
) -> Result<Vec<Seen>, DbErr> {
    let transaction = state.database.begin_write().await?;
    let ids = arrived.iter().map(|it| it.envelope.event_id);
    let seen = remember(&transaction, ids, now).await?;
    let mut erased = None;
    if let ([one], [Seen::Now]) = (arrived, &seen[..])
        && let Event::UserDeleted { user_id } = one.envelope.event
    {
        enrolments::persons::erase(&transaction, user_id, now).await?;
        erased = Some(user_id);
    }
    transaction.commit().await?;
    if let Some(user) = erased {
        state.people.forget(user).await;
    }
    Ok(seen)
}
