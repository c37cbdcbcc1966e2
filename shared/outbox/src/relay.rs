//! The relay: claims what is due, delivers it, waits.

use std::sync::Arc;
use std::time::Duration;

use lyceum_chassis::claims::counting;
use lyceum_chassis::clock;
use lyceum_chassis::database::Database;
use lyceum_resilience::backoff::Backoff;
use sea_orm::DbErr;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::delivery::Outcome;
use crate::metrics::Metrics;
use crate::peer::{Destination, Peer};
use crate::{OutboxSettings, store};

/// Between failed passes: full jitter under a ceiling that doubles from 200 ms to 10 s. A peer
/// that restarts hears of what it missed within seconds, one that is down is asked 12 times a
/// minute on average.
const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(200), Duration::from_secs(10));

/// The longest a peer's `Retry-After` is obeyed (linkerd: 5 min). One absurd header, from it or from
/// a proxy before it, must not hold events back for days.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(5);

/// Delivers a service's events to one peer. Clones are the same relay.
#[derive(Debug, Clone)]
pub struct Relay {
    pub(crate) database: Database,
    pub(crate) peer: Peer,
    pub(crate) metrics: Metrics,
    settings: OutboxSettings,
    bell: Arc<Notify>,
}

/// Tells the relays of this process that there is something to deliver.
#[derive(Debug, Clone, Default)]
pub struct Waker(Vec<Arc<Notify>>);

impl Waker {
    /// To be called after the commit; never blocks, and calls that come together are one.
    pub fn wake(&self) {
        for bell in &self.0 {
            bell.notify_one();
        }
    }

    /// Wakes the relay of another peer as well.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// What one pass over the outbox did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Pass {
    /// Events the peer has said yes to.
    pub delivered: usize,
    /// Events moved to `outbox_dead`.
    pub dead: usize,
    /// Why it ended.
    pub outcome: Outcome,
}

impl Pass {
    const EMPTY: Self = Self {
        delivered: 0,
        dead: 0,
        outcome: Outcome::Drained,
    };
}

impl Relay {
    /// Prepares it; nothing is delivered before [`Self::run`] or [`Self::deliver_pending`].
    pub fn new(database: Database, peer: impl Into<Peer>, settings: &OutboxSettings) -> Self {
        let peer = peer.into();
        Self {
            database,
            metrics: Metrics::new(peer.destination()),
            peer,
            settings: settings.clone(),
            bell: Arc::default(),
        }
    }

    /// For those who commit events.
    pub fn waker(&self) -> Waker {
        Waker(vec![Arc::clone(&self.bell)])
    }

    /// Delivers batch after batch until nothing is due or the peer is unavailable.
    ///
    /// # Errors
    /// When the database fails; rows claimed by then are due again when their lease ends.
    pub async fn deliver_pending(&self) -> Result<Pass, DbErr> {
        self.deliver_until(&CancellationToken::new()).await
    }

    async fn deliver_until(&self, stop: &CancellationToken) -> Result<Pass, DbErr> {
        let mut pass = Pass::EMPTY;
        while !stop.is_cancelled() {
            let now = clock::now();
            let lease_end = now + self.settings.lease();
            let batch = self.settings.batch as u64;
            let to = self.peer.destination();
            let rows = store::claim(&self.database, to, now, lease_end, batch).await?;
            if rows.is_empty() {
                break;
            }
            pass.outcome = self.deliver(rows, lease_end, &mut pass).await?;
            if pass.outcome != Outcome::Drained {
                break;
            }
        }
        Ok(pass)
    }

    /// Delivers until told to stop: woken after a commit, and by polling for what nobody wakes
    /// it for. A batch under way is finished first: one call of at most the client's total time,
    /// several when the peer refuses what is in it.
    pub async fn run(self, stop: CancellationToken) {
        counting(self.work(&stop), || self.count()).await;
    }

    async fn work(&self, stop: &CancellationToken) {
        let mut pauses = Pauses::new(self.peer.destination(), self.settings.poll());
        while !stop.is_cancelled() {
            let pass = self.deliver_until(stop).await;
            let pause = pauses.after(&pass);
            // A wake-up does not cut a pause that is the peer's; it is kept for the next one.
            let woken = async {
                match pass {
                    Ok(Pass {
                        outcome: Outcome::Drained,
                        ..
                    }) => self.bell.notified().await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = woken => {}
                () = sleep(pause) => {}
            }
        }
    }

    async fn count(&self) {
        // A database that fails is reported by the passes.
        if let Ok(backlog) = store::backlog(&self.database, self.peer.destination()).await {
            self.metrics.backlog(&backlog, clock::now());
        }
    }

    /// How many events are not yet told, those being delivered included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pending_count(&self) -> Result<u64, DbErr> {
        let backlog = store::backlog(&self.database, self.peer.destination()).await?;
        Ok(backlog.pending.unsigned_abs())
    }

    /// How many events nobody wants; people look at them in the table `outbox_dead`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead_count(&self) -> Result<u64, DbErr> {
        store::count_dead(&self.database, self.peer.destination()).await
    }
}

/// How long to wait after a pass, and when to say that it fails.
struct Pauses {
    peer: &'static str,
    poll: Duration,
    rng: fastrand::Rng,
    /// Failed passes in a row, whatever failed.
    failures: u32,
    /// Whether this outage of the peer has been logged.
    outage_told: bool,
}

impl Pauses {
    fn new(destination: Destination, poll: Duration) -> Self {
        Self {
            peer: destination.as_str(),
            poll,
            rng: fastrand::Rng::new(),
            failures: 0,
            outage_told: false,
        }
    }

    fn after(&mut self, pass: &Result<Pass, DbErr>) -> Duration {
        let at_least = match pass {
            Ok(Pass {
                outcome: Outcome::Drained,
                ..
            }) => {
                self.outage_told = false;
                if std::mem::take(&mut self.failures) > 0 {
                    tracing::info!(
                        event = "outbox.recovered",
                        peer = self.peer,
                        "events are told again"
                    );
                }
                return self.poll;
            }
            Ok(Pass {
                outcome: Outcome::PeerUnavailable { retry_after },
                ..
            }) => {
                if !std::mem::replace(&mut self.outage_told, true) {
                    tracing::warn!(
                        event = "outbox.peer_unavailable",
                        peer = self.peer,
                        "a peer cannot be told; events wait"
                    );
                }
                retry_after.unwrap_or_default().min(MAX_RETRY_AFTER)
            }
            Err(error) => {
                tracing::error!(event = "outbox.database_failed", %error, "the outbox cannot be read");
                Duration::ZERO
            }
        };
        let backoff = BACKOFF.delay(self.failures, &mut self.rng);
        self.failures = self.failures.saturating_add(1);
        backoff.max(at_least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNAVAILABLE: Pass = Pass {
        outcome: Outcome::PeerUnavailable { retry_after: None },
        ..Pass::EMPTY
    };

    #[test]
    fn pauses_grow_to_ten_seconds_and_end_with_the_outage() {
        let poll = Duration::from_millis(500);
        let mut pauses = Pauses::new(Destination::Notification, poll);
        let first = pauses.after(&Ok(UNAVAILABLE));
        assert!(first <= Duration::from_millis(200), "{first:?}");
        let longest = (0..200).map(|_| pauses.after(&Ok(UNAVAILABLE))).max();
        let longest = longest.unwrap_or_default();
        assert!(
            (5_000..=10_000).contains(&longest.as_millis()),
            "{longest:?}"
        );
        assert_eq!(pauses.after(&Ok(Pass::EMPTY)), poll);
        assert!(pauses.after(&Ok(UNAVAILABLE)) <= Duration::from_millis(200));
    }

    #[test]
    fn each_outage_of_the_peer_is_told_once_even_when_the_database_failed_before() {
        let captured = lyceum_telemetry::testing::capture();
        let told = || {
            let lines = captured.lines();
            let outages = lines
                .iter()
                .filter(|line| line.contains("outbox.peer_unavailable"));
            outages.count()
        };
        let before = told();
        let mut pauses = Pauses::new(Destination::Notification, Duration::from_millis(500));
        pauses.after(&Err(DbErr::Custom("gone".to_owned())));
        for outage in 1..=2 {
            pauses.after(&Ok(UNAVAILABLE));
            pauses.after(&Ok(UNAVAILABLE));
            assert_eq!(told() - before, outage);
            pauses.after(&Ok(Pass::EMPTY));
        }
    }

    #[test]
    fn a_pause_is_as_long_as_the_peer_asks_for_and_five_minutes_at_most() {
        let busy = |retry_after| Pass {
            outcome: Outcome::PeerUnavailable {
                retry_after: Some(retry_after),
            },
            ..Pass::EMPTY
        };
        let mut pauses = Pauses::new(Destination::Notification, Duration::from_millis(500));
        for minutes in [1, 5] {
            let asked = Duration::from_mins(minutes);
            assert_eq!(pauses.after(&Ok(busy(asked))), asked);
        }
        for absurd in [Duration::from_hours(24 * 365), Duration::MAX] {
            assert_eq!(pauses.after(&Ok(busy(absurd))), Duration::from_mins(5));
        }
    }
}
