//! Lets one event have its effect, in one transaction with the memory of it.

use lyceum_chassis::database::Transaction;
use lyceum_contracts::event::Envelope;
use lyceum_outbox::intake::{Seen, remember};
use sea_orm::DbErr;
use time::OffsetDateTime;

use super::domain::{Consequence, changed_place};
use crate::live::{Topic, courses, tickets};
use crate::mail::{Letter, Mails};
use crate::state::State;
use crate::{broadcasts, inbox, mail, preferences, presence, webhooks};

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It had its effect now.
    Accepted,
    /// It had its effect before, and none now.
    Duplicate,
}

/// Takes an event in. Streams of the person concerned, the sender of letters, and the courier of
/// webhooks, are woken after the commit, never before: what they are woken for is there when they
/// look.
pub(super) async fn take_in(
    state: &State,
    envelope: &Envelope,
    now: OffsetDateTime,
) -> Result<Outcome, DbErr> {
    let State { hub, mails, .. } = state;
    let transaction = state.database.begin_write().await?;
    if remember(&transaction, envelope.event_id, now).await? == Seen::Before {
        transaction.rollback().await?;
        return Ok(Outcome::Duplicate);
    }
    state.webhooks.enqueue(&transaction, envelope, now).await?;
    match Consequence::of(&envelope.event) {
        Consequence::OpenInbox(welcome) => {
            inbox::sequence::open(&transaction, welcome.recipient).await?;
            write(&transaction, mails, &welcome, now).await?;
            transaction.commit().await?;
            mails.wake();
        }
        Consequence::Write(letter) => {
            write(&transaction, mails, &letter, now).await?;
            transaction.commit().await?;
            mails.wake();
        }
        Consequence::Tell(notice, letter) => {
            let person = notice.recipient;
            let entries = inbox::tell(&transaction, notice, now).await?;
            if !entries.is_empty() {
                mails.enqueue(&transaction, &letter, now).await?;
            }
            transaction.commit().await?;
            for entry in &entries {
                hub.tell(person, entry);
            }
            if !entries.is_empty() {
                mails.wake();
            }
        }
        Consequence::Erase(person) => {
            inbox::erase(&transaction, person, now).await?;
            mail::erase(&transaction, person).await?;
            preferences::store::erase(&transaction, person).await?;
            tickets::erase(&transaction, person).await?;
            webhooks::erase(&transaction, person).await?;
            broadcasts::erase(&transaction, person).await?;
            presence::store::erase(&transaction, person).await?;
            transaction.commit().await?;
            hub.forget(Topic::Person(person));
        }
        Consequence::TellCourse(happening) => {
            let told = courses::tell(&transaction, happening, now).await?;
            transaction.commit().await?;
            if let Some(news) = &told {
                hub.tell_course(news);
            }
        }
        Consequence::EraseCourse(course) => {
            courses::erase(&transaction, course, now).await?;
            transaction.commit().await?;
            hub.end_course(course);
        }
        Consequence::Nothing => transaction.commit().await?,
    }
    if let Some((course, user)) = changed_place(&envelope.event) {
        state.members.changed(course, user).await;
    }
    state.webhooks.wake();
    Ok(Outcome::Accepted)
}

/// A letter without a notice, unless its reader is erased: an event may come late.
async fn write(
    transaction: &Transaction,
    mails: &Mails,
    letter: &Letter,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    if inbox::sequence::is_closed(transaction, letter.recipient).await? {
        return Ok(());
    }
    mails.enqueue(transaction, letter, now).await
}
