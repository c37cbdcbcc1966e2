//! Lets one event have its effect, in one transaction with the memory of it.

use lyceum_contracts::event::{Envelope, Event};
use lyceum_outbox::intake::{Seen, remember};
use sea_orm::DbErr;
use time::OffsetDateTime;

use crate::enrolments;
use crate::state::State;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It had its effect now.
    Accepted,
    /// It had its effect before, and none now.
    Duplicate,
}

/// Takes an event in.
pub(super) async fn take_in(
    state: &State,
    envelope: &Envelope,
    now: OffsetDateTime,
) -> Result<Outcome, DbErr> {
    let transaction = state.database.begin_write().await?;
    if remember(&transaction, envelope.event_id, now).await? == Seen::Before {
        transaction.rollback().await?;
        return Ok(Outcome::Duplicate);
    }
    if let Event::UserDeleted { user_id } = envelope.event {
        enrolments::persons::erase(&transaction, user_id, now).await?;
        transaction.commit().await?;
        state.people.forget(user_id).await;
    } else {
        transaction.commit().await?;
    }
    Ok(Outcome::Accepted)
}
