//! A bound on calls in flight, with a bounded queue before it.
//!
//! A slow peer otherwise collects every task and connection its callers have. The wait is short
//! on purpose: a call that queues longer than its peer usually takes is better refused.
//!
//! # A limit that finds out how much the peer can take
//!
//! With [`AdaptiveSettings`] the bound follows what is lost ([`Signal::Lost`]). It is AIMD, as in
//! TCP and in Netflix' concurrency-limits, which advises it for clients: a loss takes a tenth off
//! the limit, as many good calls as the limit is add one to it. It knows no latency, so there is
//! no idea of a normal one that could drift along with the peer. Three rules keep it honest:
//! - calls that were under way together and are lost together count as **one** loss, as segments
//!   of one window do in TCP; each by itself would take the limit from 64 to 4 in one hiccup;
//! - a call that ends well counts only while **at least half of the limit is in use** (Netflix):
//!   a quiet hour proves nothing;
//! - the least limit is left like any other, so that it climbs back as soon as calls end well, by
//!   one per round trip under load.

mod adaptive;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, SemaphorePermit};

use self::adaptive::Adaptive;
pub use self::adaptive::AdaptiveSettings;
use crate::deadline::{Deadline, Instant};
use crate::settings::{InvalidSetting, require};

/// Settings of [`Bulkhead`]; the numbers lie between resilience4j's (25) and Envoy's (1024).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BulkheadSettings {
    /// Calls in flight at once; with `adaptive`, at most.
    pub max_in_flight: usize,
    /// Calls waiting for a slot at once; 0 means none may wait.
    pub max_queued: usize,
    /// Longest wait for a slot, in milliseconds.
    pub max_wait_ms: u64,
    /// Whether the limit follows losses.
    pub adaptive: AdaptiveSettings,
}

impl Default for BulkheadSettings {
    fn default() -> Self {
        Self {
            max_in_flight: 64,
            max_queued: 64,
            max_wait_ms: 100,
            adaptive: AdaptiveSettings::default(),
        }
    }
}

/// Hands out a limited number of slots, first come, first served.
#[derive(Debug)]
pub struct Bulkhead {
    slots: Semaphore,
    max_in_flight: usize,
    adaptive: Option<Adaptive>,
    queued: AtomicUsize,
    max_queued: usize,
    max_wait: Duration,
}

/// The right to have one call in flight, until dropped.
#[must_use = "the slot is free again as soon as it is dropped"]
#[derive(Debug)]
pub struct Slot<'a> {
    bulkhead: &'a Bulkhead,
    /// For an adaptive limit alone.
    granted: Granted,
}

/// What was when a slot was granted.
#[derive(Debug, Clone, Copy, Default)]
struct Granted {
    round: u64,
    in_flight: usize,
}

/// How a call ended, for an adaptive limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The peer answered, and not that it had too much to do.
    Done,
    /// The peer has too much to do: no answer in time, a broken connection, 429, 503.
    Lost,
}

/// All slots and waiting places are taken, or the wait was in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many calls in flight")]
pub struct Full;

impl Bulkhead {
    /// Checks the settings: at least one slot, and a wait of at most a minute; adaptive limits
    /// start at `max_in_flight`.
    pub fn new(settings: &BulkheadSettings) -> Result<Self, InvalidSetting> {
        require(
            (1..=100_000).contains(&settings.max_in_flight),
            "bulkhead.max_in_flight",
            "be between 1 and 100000",
        )?;
        require(
            settings.max_wait_ms <= 60_000,
            "bulkhead.max_wait_ms",
            "be at most 60000",
        )?;
        Ok(Self {
            slots: Semaphore::new(settings.max_in_flight),
            max_in_flight: settings.max_in_flight,
            adaptive: Adaptive::new(&settings.adaptive, settings.max_in_flight)?,
            queued: AtomicUsize::new(0),
            max_queued: settings.max_queued,
            max_wait: Duration::from_millis(settings.max_wait_ms),
        })
    }

    /// A slot now, or none.
    pub fn try_acquire(&self) -> Option<Slot<'_>> {
        let permit = self.slots.try_acquire().ok()?;
        Some(self.slot(permit))
    }

    /// A slot now, or after a wait that ends at `deadline` at the latest.
    pub async fn acquire(&self, deadline: Deadline) -> Result<Slot<'_>, Full> {
        if let Some(slot) = self.try_acquire() {
            return Ok(slot);
        }
        let _place = Place::take(self).ok_or(Full)?;
        let until = Deadline::starting(Instant::now(), self.max_wait).earlier(deadline);
        match tokio::time::timeout_at(until.instant(), self.slots.acquire()).await {
            Ok(Ok(permit)) => Ok(self.slot(permit)),
            // The semaphore is never closed; time ran out.
            Ok(Err(_)) | Err(_) => Err(Full),
        }
    }

    fn slot(&self, permit: SemaphorePermit<'_>) -> Slot<'_> {
        // The slot gives it back itself, or not.
        permit.forget();
        let granted = self.adaptive.as_ref().map(|adaptive| Granted {
            round: adaptive.round(),
            in_flight: self.in_flight(),
        });
        Slot {
            bulkhead: self,
            granted: granted.unwrap_or_default(),
        }
    }

    /// Calls that may hold a slot at once, now.
    pub fn limit(&self) -> usize {
        let fixed = self.max_in_flight;
        self.adaptive.as_ref().map_or(fixed, Adaptive::limit)
    }

    /// Calls that hold a slot: more than the limit while it has just fallen.
    pub fn in_flight(&self) -> usize {
        let fixed = self.max_in_flight;
        let permits = self.adaptive.as_ref().map_or(fixed, Adaptive::permits);
        permits.saturating_sub(self.slots.available_permits())
    }

    /// Calls that wait for one.
    pub fn queued(&self) -> usize {
        self.queued.load(Relaxed)
    }
}

impl Slot<'_> {
    /// The call has ended, and how. A slot that is just dropped says nothing about the peer.
    pub fn record(self, signal: Signal) {
        let bulkhead = self.bulkhead;
        if let Some(adaptive) = &bulkhead.adaptive {
            match signal {
                Signal::Done => {
                    // Of a burst the first ones are granted alone and the last ones end alone.
                    let in_flight = bulkhead.in_flight().max(self.granted.in_flight);
                    adaptive.done(in_flight, &bulkhead.slots);
                }
                Signal::Lost => adaptive.lost(self.granted.round, &bulkhead.slots),
            }
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let adaptive = self.bulkhead.adaptive.as_ref();
        if !adaptive.is_some_and(Adaptive::keeps_one) {
            self.bulkhead.slots.add_permits(1);
        }
    }
}

/// A place in the queue, given back even when the waiting caller is cancelled.
struct Place<'a>(&'a Bulkhead);

impl<'a> Place<'a> {
    fn take(bulkhead: &'a Bulkhead) -> Option<Self> {
        let one_more = |queued| (queued < bulkhead.max_queued).then_some(queued + 1);
        let taken = bulkhead.queued.fetch_update(Relaxed, Relaxed, one_more);
        taken.is_ok().then(|| Self(bulkhead))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.queued.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests;
