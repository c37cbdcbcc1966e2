//! Where the letters come from that are sent: what was claimed, then what is due, then whatever
//! comes.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use lyceum_chassis::claims::{Pauses, claim};
use lyceum_chassis::clock;
use lyceum_chassis::database::DbErr;
use lyceum_client::ClientError;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::user::Contact;
use lyceum_resilience::deadline::Instant;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::claims::release;
use super::letter::Content;
use super::parcel::Parcel;
use super::sender::Sender;
use super::worker::BACKOFF;
use crate::entity::mail::{Entity, Model};
use crate::preferences::store::{self as preferences, Choices};
use crate::schedule::{self, Outcome};

/// What keeps every letter from being sent.
#[derive(Debug, thiserror::Error)]
enum Hindrance {
    #[error("the mail server is left alone")]
    Server { retry_after: Duration },
    #[error(transparent)]
    Users(#[from] ClientError),
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl Hindrance {
    fn tell(&self) {
        match self {
            Self::Server { .. } => {}
            Self::Users(error) => tracing::warn!(
                event = "mail.users_unavailable",
                reason = error.reason(),
                "nobody can say where letters go; they wait"
            ),
            Self::Database(error) => {
                tracing::error!(event = "mail.database_failed", %error, "letters wait");
            }
        }
    }
}

impl Sender {
    /// Claims what is due, and finds out what it takes to send it.
    async fn claim(&self) -> Result<VecDeque<Parcel>, Hindrance> {
        if let Err(refused) = self.breaker.peek(Instant::now()) {
            let retry_after = refused.retry_after;
            return Err(Hindrance::Server { retry_after });
        }
        let now = clock::now();
        let lease_end = now + self.settings.lease();
        let batch = self.settings.batch;
        let mails = claim::<Entity>(&self.database, now, lease_end, batch).await?;
        if mails.is_empty() {
            return Ok(VecDeque::new());
        }
        let read = mails.iter().map(read).collect::<Vec<_>>();
        let contacts = match self.contacts(&mails, &read).await {
            Ok(contacts) => contacts,
            Err(error) => {
                release(&self.database, &mails, clock::now()).await?;
                return Err(error.into());
            }
        };
        let choices = self.choices(&mails, &contacts).await?;
        let claimed = mails.into_iter().zip(read).collect();
        let parcels = self.gather(claimed, &contacts, &choices, now).await;
        parcels.map_err(Into::into)
    }

    /// How to reach the readers of letters that bring no link, in one question.
    async fn contacts(
        &self,
        mails: &[Model],
        read: &[Result<Content, Outcome>],
    ) -> Result<HashMap<UserId, Contact>, ClientError> {
        let mut people: Vec<UserId> = mails
            .iter()
            .zip(read)
            .filter(|(_, read)| read.as_ref().is_ok_and(|content| content.link().is_none()))
            .map(|(mail, _)| mail.user_id)
            .collect();
        people.sort_unstable();
        people.dedup();
        let found = self.users.lookup(&people).await?;
        Ok(found.into_iter().map(|one| (one.id, one)).collect())
    }

    /// What the readers have chosen, each of those who may be told how to have no more with the
    /// token for it.
    async fn choices(
        &self,
        mails: &[Model],
        contacts: &HashMap<UserId, Contact>,
    ) -> Result<HashMap<UserId, Choices>, DbErr> {
        let people: Vec<UserId> = mails.iter().map(|mail| mail.user_id).collect();
        let mut choices = preferences::choices(&self.database, &people).await?;
        let tokenless: Vec<UserId> = contacts
            .keys()
            .filter(|user| {
                let known = choices.get(user);
                known.is_none_or(|choices| choices.unsubscribe_token.is_none())
            })
            .copied()
            .collect();
        if !tokenless.is_empty() {
            preferences::give_tokens(&self.database, &tokenless).await?;
            choices.extend(preferences::choices(&self.database, &tokenless).await?);
        }
        Ok(choices)
    }
}

/// What a claimed letter says, or why it is not even tried.
pub(super) fn read(mail: &Model) -> Result<Content, Outcome> {
    if schedule::is_exhausted(mail.attempts) {
        // Nobody came back from the last claims to say what went wrong.
        return Err(Outcome::Refused("lease_ended".into()));
    }
    // Of a release that is being rolled out, perhaps: time will tell.
    Content::kept(&mail.template, &mail.input)
        .ok_or_else(|| Outcome::Failed("unknown_template".into()))
}

/// The letters of one sender, until it is told to stop; those not begun by then are given back.
#[derive(Debug)]
pub(super) struct Source {
    sender: Sender,
    stop: CancellationToken,
    waiting: VecDeque<Parcel>,
    pauses: Pauses,
}

impl Source {
    pub(super) fn new(sender: Sender, stop: CancellationToken) -> Self {
        Self {
            pauses: Pauses::new(sender.settings.poll(), BACKOFF),
            sender,
            stop,
            waiting: VecDeque::new(),
        }
    }

    /// The next letter and the rest, for a stream.
    pub(super) async fn next(mut self) -> Option<(Parcel, Self)> {
        while !self.stop.is_cancelled() {
            if let Some(parcel) = self.waiting.pop_front() {
                return Some((parcel, self));
            }
            match self.sender.claim().await {
                Ok(parcels) => {
                    self.pauses.clear();
                    if parcels.is_empty() {
                        self.pause().await;
                    }
                    self.waiting = parcels;
                }
                // The breaker has told.
                Err(Hindrance::Server { retry_after }) => {
                    self.stop.run_until_cancelled(sleep(retry_after)).await;
                }
                Err(hindrance) => {
                    if self.pauses.fail() {
                        hindrance.tell();
                    }
                    self.pause().await;
                }
            }
        }
        self.give_back().await;
        None
    }

    async fn pause(&self) {
        let woken = self.sender.mails.woken();
        self.pauses.wait(woken, &self.stop).await;
    }

    /// What was claimed and not begun is anybody's.
    async fn give_back(&mut self) {
        let mails: Vec<Model> = self.waiting.drain(..).flat_map(Parcel::into_all).collect();
        if mails.is_empty() {
            return;
        }
        // Were it to fail, they would be due when the lease ends.
        if let Err(error) = release(&self.sender.database, &mails, clock::now()).await {
            tracing::warn!(event = "mail.release_failed", %error, "claimed letters wait for the end of their lease");
        }
    }
}
