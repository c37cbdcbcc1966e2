//! Lets events have their effects, in one transaction with the memory of them.

use lyceum_chassis::database::Transaction;
use lyceum_contracts::ids::{CourseId, UserId};
use lyceum_outbox::intake::{Arrived, Seen, remember};
use sea_orm::DbErr;
use time::OffsetDateTime;

use super::domain::{Consequence, Notice, changed_place};
use crate::live::courses::domain::Happening;
use crate::live::{Topic, courses, tickets};
use crate::mail::Letter;
use crate::state::State;
use crate::webhooks::{Message, Webhooks};
use crate::{broadcasts, inbox, mail, preferences, presence, sequence, webhooks};

/// Takes events in that may have their effects together, and says of each whether it was new.
/// Streams of the people concerned, the sender of letters, and the courier of webhooks, are woken
/// after the commit, never before: what they are woken for is there when they look.
pub(super) async fn take_in(
    state: &State,
    arrived: &[Arrived<'_>],
    now: OffsetDateTime,
) -> Result<Vec<Seen>, DbErr> {
    let transaction = state.database.begin_write().await?;
    let ids = arrived.iter().map(|it| it.envelope.event_id);
    let seen = remember(&transaction, ids, now).await?;
    let new = arrived.iter().zip(&seen);
    let new: Vec<_> = new
        .filter(|(_, seen)| **seen == Seen::Now)
        .map(|(it, _)| it)
        .collect();
    if new.is_empty() {
        transaction.rollback().await?;
        return Ok(seen);
    }
    let mut messages = Webhooks::wanted(&transaction, &new).await?;
    let effects = Effects::of(&new);

    // Everybody concerned at once, and before what is theirs.
    let mut places = inbox::places(&effects.notices);
    let written_to = effects.letters.iter().map(|(letter, _)| letter.recipient);
    for person in written_to.chain(messages.iter().filter_map(Message::needs)) {
        places.entry(person).or_default();
    }
    let heads = sequence::take(&transaction, &places).await?;

    messages.retain(|message| message.needs().is_none_or(|it| heads.contains_key(&it)));
    Webhooks::enqueue(&transaction, &messages, now).await?;
    let mut letters = effects.letters;
    letters.retain(|(letter, _)| heads.contains_key(&letter.recipient));
    state.mails.enqueue(&transaction, &letters, now).await?;
    let entries = inbox::tell(&transaction, effects.notices, heads, now).await?;
    if let Some(person) = effects.erased {
        erase(&transaction, person, now).await?;
    }
    let news = match effects.happening {
        Some(happening) => courses::tell(&transaction, happening, now).await?,
        None => None,
    };
    if let Some(course) = effects.ended {
        courses::erase(&transaction, course, now).await?;
    }
    transaction.commit().await?;

    let hub = &state.hub;
    for (person, entry) in &entries {
        hub.tell(*person, entry);
    }
    if let Some(person) = effects.erased {
        hub.forget(Topic::Person(person));
    }
    if let Some(news) = &news {
        hub.tell_course(news);
    }
    if let Some(course) = effects.ended {
        hub.end_course(course);
    }
    for (course, user) in new
        .iter()
        .filter_map(|it| changed_place(&it.envelope.event))
    {
        state.members.changed(course, user).await;
    }
    if !letters.is_empty() {
        state.mails.wake();
    }
    if !messages.is_empty() {
        state.webhooks.wake();
    }
    Ok(seen)
}

/// What new events do, together.
#[derive(Debug, Default)]
struct Effects {
    notices: Vec<Notice>,
    /// With the trace contexts of their causes.
    letters: Vec<(Letter, Option<String>)>,
    // At most one of these three, which then has the transaction to itself.
    erased: Option<UserId>,
    happening: Option<Happening>,
    ended: Option<CourseId>,
}

impl Effects {
    fn of(events: &[&Arrived<'_>]) -> Self {
        let mut effects = Self::default();
        for arrived in events {
            match Consequence::of(&arrived.envelope.event) {
                Consequence::Tell(notice, letter) => {
                    effects.notices.push(notice);
                    effects.letters.push((letter, arrived.traceparent()));
                }
                Consequence::Write(letter) => {
                    effects.letters.push((letter, arrived.traceparent()));
                }
                Consequence::Erase(person) => effects.erased = Some(person),
                Consequence::TellCourse(happening) => effects.happening = Some(happening),
                Consequence::EraseCourse(course) => effects.ended = Some(course),
                Consequence::Nothing => {}
            }
        }
        effects
    }
}

/// Forgets everything of one person, in every room.
async fn erase(
    transaction: &Transaction,
    person: UserId,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    inbox::erase(transaction, person, now).await?;
    mail::erase(transaction, person).await?;
    preferences::store::erase(transaction, person).await?;
    tickets::erase(transaction, person).await?;
    webhooks::erase(transaction, person).await?;
    broadcasts::erase(transaction, person).await?;
    presence::store::erase(transaction, person).await
}
