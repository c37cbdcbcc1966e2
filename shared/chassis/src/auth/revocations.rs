//! Access tokens that stopped counting before they ended: signed out, or their account has changed.
//!
//! Kept in memory, because every request is checked against it, and only until the tokens would
//! have ended by themselves: an hour and half a minute at most. There are no more of them than
//! people have signed in during that hour.
//!
//! The user service writes the list and feeds its own copy. The others ask for what is new, with a
//! request that the user service answers when there is something; while it is away they go on
//! with what they know.

use std::collections::{HashMap, hash_map};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use lyceum_client::UserClient;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::revocation::{Revocation, RevocationPage, RevokedTokens};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::CurrentUser;
use super::metrics::Metrics;
use crate::clock;

/// How long the user service may hold back an answer without news. Well below the two seconds
/// within which a revoked token is refused everywhere.
const WAIT: Duration = Duration::from_secs(1);
/// How long after a failure the user service is asked again.
const RETRY: Duration = Duration::from_millis(500);
/// How often what has ended is forgotten.
const PRUNE_EVERY: Duration = Duration::from_mins(1);

/// The list; clones share it.
#[derive(Debug, Clone)]
pub struct Revocations(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    list: RwLock<List>,
    /// Who is told when a token of theirs is called in.
    watched: Mutex<HashMap<UserId, watch::Sender<()>>>,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct List {
    /// By person and session, until when.
    sessions: HashMap<(UserId, i64), OffsetDateTime>,
    /// The lowest version of a person that counts, and until when that matters.
    versions: HashMap<UserId, (i64, OffsetDateTime)>,
}

impl List {
    fn add(&mut self, revocation: &Revocation) {
        let (user, until) = (revocation.user_id, revocation.expires_at);
        match revocation.tokens {
            RevokedTokens::OfSession { session_id } => {
                let known = self.sessions.entry((user, session_id)).or_insert(until);
                *known = until.max(*known);
            }
            RevokedTokens::OlderVersions { below_version } => {
                let (below, known) = self.versions.entry(user).or_insert((below_version, until));
                *below = below_version.max(*below);
                *known = until.max(*known);
            }
        }
    }

    fn revokes(&self, person: &CurrentUser) -> bool {
        let version = self.versions.get(&person.id);
        version.is_some_and(|(below, _)| person.token_version < *below)
            || self.sessions.contains_key(&(person.id, person.session_id))
    }

    fn forget_ended(&mut self, now: OffsetDateTime) {
        self.sessions.retain(|_, until| *until > now);
        self.versions.retain(|_, (_, until)| *until > now);
    }

    fn len(&self) -> usize {
        self.sessions.len() + self.versions.len()
    }
}

impl Default for Revocations {
    fn default() -> Self {
        Self::new()
    }
}

impl Revocations {
    /// An empty list. Make it after telemetry has been set up.
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            list: RwLock::default(),
            watched: Mutex::default(),
            metrics: Metrics::new(),
        }))
    }

    /// Adds what has been decided; what is known already changes nothing.
    pub fn add(&self, revocations: &[Revocation]) {
        if revocations.is_empty() {
            return;
        }
        let mut list = self.0.list.write().unwrap_or_else(PoisonError::into_inner);
        for revocation in revocations {
            list.add(revocation);
        }
        let size = list.len();
        drop(list);
        self.0.metrics.size(size);
        for revocation in revocations {
            self.tell(revocation.user_id);
        }
    }

    /// Notes that nothing was missing a moment ago.
    pub fn complete(&self) {
        self.0.metrics.complete();
    }

    /// Whether the token of `person` has been called in.
    pub fn revokes(&self, person: &CurrentUser) -> bool {
        let list = self.0.list.read().unwrap_or_else(PoisonError::into_inner);
        list.revokes(person)
    }

    /// Forgets what concerns only tokens that have ended.
    pub fn forget_ended(&self, now: OffsetDateTime) {
        let mut list = self.0.list.write().unwrap_or_else(PoisonError::into_inner);
        list.forget_ended(now);
        self.0.metrics.size(list.len());
    }

    /// Lets something that outlives its request, such as a live stream, wait for the end of the
    /// token it was opened with.
    pub fn watch(&self, person: CurrentUser) -> Watch {
        let mut watched = self.watched();
        let news = watched.entry(person.id).or_default().subscribe();
        Watch {
            revocations: self.clone(),
            person,
            news,
        }
    }

    /// Asks the user service for what is new, again and again until told to stop; for a background
    /// task. The first answer holds all that is still of use.
    pub async fn follow(self, users: UserClient, stop: CancellationToken) {
        let mut follower = Follower::default();
        let mut prune_at = Instant::now() + PRUNE_EVERY;
        loop {
            let asked = follower.ask(&self, &users);
            let Some(pause) = stop.run_until_cancelled(asked).await else {
                return;
            };
            if Instant::now() >= prune_at {
                self.forget_ended(clock::now());
                prune_at = Instant::now() + PRUNE_EVERY;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn tell(&self, user: UserId) {
        if let Some(news) = self.watched().get(&user) {
            news.send_replace(());
        }
    }

    /// Takes a page that was asked for after `after`; answers where to go on.
    fn take(&self, page: &RevocationPage, after: i64) -> i64 {
        if page.next < after {
            // Another database: its sessions and versions have been counted from 1 again.
            let mut list = self.0.list.write().unwrap_or_else(PoisonError::into_inner);
            *list = List::default();
        }
        self.add(&page.items);
        page.next
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<UserId, watch::Sender<()>>> {
        let watched = self.0.watched.lock();
        watched.unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far the list of the user service has been read.
#[derive(Debug, Default)]
struct Follower {
    after: i64,
    /// Nothing until an answer has come: the first one is wanted at once.
    wait: Duration,
    failing: bool,
}

impl Follower {
    /// Asks once; answers how long to rest before the next time.
    async fn ask(&mut self, revocations: &Revocations, users: &UserClient) -> Duration {
        let begun = Instant::now();
        let page = match users.revocations(self.after, self.wait).await {
            Ok(page) => page,
            Err(error) => {
                // One line when it begins, not one per try.
                if !self.failing {
                    tracing::warn!(
                        event = "auth.revocations_not_followed",
                        reason = error.reason(),
                        "the user service does not say whose tokens were called in"
                    );
                }
                self.failing = true;
                self.wait = Duration::ZERO;
                return RETRY;
            }
        };
        if self.failing {
            tracing::info!(event = "auth.revocations_followed", "up to date again");
        }
        self.failing = false;
        let before = self.after;
        self.after = revocations.take(&page, before);
        revocations.complete();
        let answered_early = begun.elapsed() < self.wait / 2;
        let rest = if self.after == before && answered_early {
            WAIT
        } else {
            Duration::ZERO
        };
        self.wait = WAIT;
        rest
    }
}

/// A token that is being watched; see [`Revocations::watch`].
#[derive(Debug)]
pub struct Watch {
    revocations: Revocations,
    person: CurrentUser,
    news: watch::Receiver<()>,
}

impl Watch {
    /// Resolves when the token has been called in, at once if it was before. May be dropped and
    /// called again.
    pub async fn revoked(&mut self) {
        while !self.revocations.revokes(&self.person) {
            if self.news.changed().await.is_err() {
                // Never: the sender lives as long as its last receiver.
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self.revocations.watched();
        if let hash_map::Entry::Occupied(entry) = watched.entry(self.person.id)
            && entry.get().receiver_count() <= 1
        {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests;
