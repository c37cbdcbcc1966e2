//! Lets one event have its effect, in one transaction with the memory of it.

use lyceum_chassis::database::Database;
use lyceum_contracts::event::Envelope;
use lyceum_outbox::intake::{Seen, remember};
use sea_orm::DbErr;
use time::OffsetDateTime;

use super::domain::Consequence;
use crate::inbox;
use crate::live::Hub;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It had its effect now.
    Accepted,
    /// It had its effect before, and none now.
    Duplicate,
}

/// Takes an event in. Streams of the person concerned are woken after the commit, never before:
/// what they are woken for is there when they look.
pub(super) async fn take_in(
    database: &Database,
    hub: &Hub,
    envelope: &Envelope,
    now: OffsetDateTime,
) -> Result<Outcome, DbErr> {
    let transaction = database.begin_write().await?;
    if remember(&transaction, envelope.event_id, now).await? == Seen::Before {
        transaction.rollback().await?;
        return Ok(Outcome::Duplicate);
    }
    match Consequence::of(&envelope.event) {
        Consequence::OpenInbox(person) => {
            inbox::store::open(&transaction, person).await?;
            transaction.commit().await?;
        }
        Consequence::Tell(notice) => {
            let person = notice.recipient;
            let seq = inbox::store::append(&transaction, notice, now).await?;
            transaction.commit().await?;
            if let Some(seq) = seq {
                hub.wake(person, seq);
            }
        }
        Consequence::Erase(person) => {
            inbox::store::erase(&transaction, person, now).await?;
            transaction.commit().await?;
        }
        Consequence::Nothing => transaction.commit().await?,
    }
    Ok(Outcome::Accepted)
}
