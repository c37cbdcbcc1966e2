//! A bound on calls in flight, with a bounded queue before it.
//!
//! A slow peer otherwise collects every task and connection its callers have. The wait is short
//! on purpose: a call that queues longer than its peer usually takes is better refused.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::deadline::{Deadline, Instant};
use crate::settings::{InvalidSetting, require};

/// Settings of [`Bulkhead`]; the numbers lie between resilience4j's (25) and Envoy's (1024).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BulkheadSettings {
    /// Calls in flight at once.
    pub max_in_flight: usize,
    /// Calls waiting for a slot at once; 0 means none may wait.
    pub max_queued: usize,
    /// Longest wait for a slot, in milliseconds.
    pub max_wait_ms: u64,
}

impl Default for BulkheadSettings {
    fn default() -> Self {
        Self {
            max_in_flight: 64,
            max_queued: 64,
            max_wait_ms: 100,
        }
    }
}

/// Hands out a fixed number of slots, first come, first served.
#[derive(Debug)]
pub struct Bulkhead {
    slots: Semaphore,
    max_in_flight: usize,
    queued: AtomicUsize,
    max_queued: usize,
    max_wait: Duration,
}

/// The right to have one call in flight, until dropped.
#[must_use = "the slot is free again as soon as it is dropped"]
#[derive(Debug)]
pub struct Slot<'a> {
    _permit: SemaphorePermit<'a>,
}

/// All slots and waiting places are taken, or the wait was in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many calls in flight")]
pub struct Full;

impl Bulkhead {
    /// Checks the settings: at least one slot, and a wait of at most a minute.
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
            queued: AtomicUsize::new(0),
            max_queued: settings.max_queued,
            max_wait: Duration::from_millis(settings.max_wait_ms),
        })
    }

    /// A slot now, or after a wait that ends at `deadline` at the latest.
    pub async fn acquire(&self, deadline: Deadline) -> Result<Slot<'_>, Full> {
        if let Ok(permit) = self.slots.try_acquire() {
            return Ok(Slot { _permit: permit });
        }
        let _place = Place::take(self).ok_or(Full)?;
        let until = Deadline::starting(Instant::now(), self.max_wait).earlier(deadline);
        match tokio::time::timeout_at(until.instant(), self.slots.acquire()).await {
            Ok(Ok(permit)) => Ok(Slot { _permit: permit }),
            // The semaphore is never closed; time ran out.
            Ok(Err(_)) | Err(_) => Err(Full),
        }
    }

    /// Calls that hold a slot.
    pub fn in_flight(&self) -> usize {
        self.max_in_flight - self.slots.available_permits()
    }

    /// Calls that wait for one.
    pub fn queued(&self) -> usize {
        self.queued.load(Relaxed)
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
mod tests {
    use super::*;
    use std::future::Future;
    use std::task::{Context, Poll, Waker};

    fn bulkhead(max_in_flight: usize, max_queued: usize) -> Bulkhead {
        let settings = BulkheadSettings {
            max_in_flight,
            max_queued,
            max_wait_ms: 100,
        };
        Bulkhead::new(&settings).unwrap()
    }

    fn later() -> Deadline {
        Deadline::after(Duration::from_mins(1))
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_call_gets_the_slot_that_is_given_back() {
        let bulkhead = bulkhead(1, 1);
        let first = bulkhead.acquire(later()).await.unwrap();
        let mut second = Box::pin(bulkhead.acquire(later()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (1, 1));
        drop(first);
        assert!(second.await.is_ok());
        assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_refuses_at_once_and_a_cancelled_wait_frees_its_place() {
        let bulkhead = bulkhead(1, 1);
        let _slot = bulkhead.acquire(later()).await.unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let mut waiting = Box::pin(bulkhead.acquire(later()));
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        let mut refused = Box::pin(bulkhead.acquire(later()));
        assert!(matches!(
            refused.as_mut().poll(&mut context),
            Poll::Ready(Err(Full))
        ));
        drop(waiting);
        assert_eq!(bulkhead.queued(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_allowed_nor_past_the_deadline() {
        let bulkhead = bulkhead(1, 8);
        let _slot = bulkhead.acquire(later()).await.unwrap();
        let start = Instant::now();
        assert_eq!(bulkhead.acquire(later()).await.unwrap_err(), Full);
        assert_eq!(start.elapsed(), Duration::from_millis(100));
        let start = Instant::now();
        let soon = Deadline::after(Duration::from_millis(7));
        assert_eq!(bulkhead.acquire(soon).await.unwrap_err(), Full);
        assert!(
            start.elapsed() <= Duration::from_millis(8),
            "{:?}",
            start.elapsed()
        );
        assert_eq!(bulkhead.queued(), 0);
    }

    #[test]
    fn a_bulkhead_without_slots_is_refused_by_name() {
        let settings = BulkheadSettings {
            max_in_flight: 0,
            ..BulkheadSettings::default()
        };
        assert_eq!(
            Bulkhead::new(&settings).unwrap_err().key,
            "bulkhead.max_in_flight"
        );
    }
}
