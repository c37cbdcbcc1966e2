//! Leaving out an endpoint that fails far more often than its peers.
//!
//! A breaker judges an endpoint by itself; here it is judged **against the others**. An endpoint
//! that fails half of its calls while the others fail none has a trouble of its own, and its
//! share of the calls is better off elsewhere. One that fails as often as the others do, because
//! what they all need is down, is no outlier: ejecting it would only crowd the rest.
//!
//! An endpoint is ejected when, over the last [`window_ms`](OutlierSettings::window_ms),
//! 1. it had at least [`minimum_calls`](OutlierSettings::minimum_calls), and so had the others
//!    together;
//! 2. it failed at least [`failure_percent`](OutlierSettings::failure_percent) of them (Envoy's
//!    failure-percentage rule, which alone ejects half of a service whose database is gone);
//! 3. that is at least [`margin_points`](OutlierSettings::margin_points) above the share of the
//!    others together (in the place of Envoy's success-rate rule, whose "1.9 standard deviations
//!    below the mean" needs five hosts to mean anything: of two hosts none is ever 1.9 away);
//! 4. with it at most half of the endpoints are ejected, and never the last.
//!
//! It is back by time alone, as with Envoy: after `base_ms` × its ejections so far, no more than
//! `max_ms`, less up to half by jitter (Finagle), so that not all are back at once. For every
//! `base_ms` it then stays in, one ejection is forgotten. Calls from before its return no longer
//! count.
//!
//! A call that ends well costs one atomic add; a lock is taken when one has failed often enough to
//! be ejected.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::deadline::Instant;
use crate::settings::{InvalidSetting, require};
use crate::window::Window;

/// Settings of [`Outliers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutlierSettings {
    /// Share of failed calls from which an endpoint may be an outlier, in percent; 0 ejects none.
    /// The breaker's 50, below Envoy's 85, because the margin guards against ejecting too many.
    pub failure_percent: u8,
    /// How far it must stand above the share of the others together, in percentage points.
    pub margin_points: u8,
    /// Fewer calls in the window say nothing; the breaker's 20 (Envoy: 50).
    pub minimum_calls: u32,
    /// How long a call counts, in milliseconds (Envoy's sweep, linkerd).
    pub window_ms: u64,
    /// Length of the first ejection, in milliseconds (Envoy).
    pub base_ms: u64,
    /// No ejection is longer, in milliseconds (Envoy).
    pub max_ms: u64,
}

impl Default for OutlierSettings {
    fn default() -> Self {
        Self {
            failure_percent: 50,
            margin_points: 30,
            minimum_calls: 20,
            window_ms: 10_000,
            base_ms: 30_000,
            max_ms: 300_000,
        }
    }
}

impl OutlierSettings {
    fn validate(&self) -> Result<(), InvalidSetting> {
        require(
            self.failure_percent <= 100,
            "outlier.failure_percent",
            "be at most 100",
        )?;
        require(
            (1..=100).contains(&self.margin_points),
            "outlier.margin_points",
            "be between 1 and 100",
        )?;
        require(
            (1..=100_000).contains(&self.minimum_calls),
            "outlier.minimum_calls",
            "be between 1 and 100000",
        )?;
        require(
            (1_000..=600_000).contains(&self.window_ms),
            "outlier.window_ms",
            "be between 1000 and 600000",
        )?;
        // The count starts anew at the bucket of the return: with jitter an ejection is half of
        // `base_ms` at least, which then spans a bucket and leaves no old call in it.
        require(
            self.base_ms >= self.window_ms / 5,
            "outlier.base_ms",
            "be at least a fifth of `outlier.window_ms`",
        )?;
        require(
            (1_000..=3_600_000).contains(&self.base_ms),
            "outlier.base_ms",
            "be between 1000 and 3600000",
        )?;
        require(
            (self.base_ms..=3_600_000).contains(&self.max_ms),
            "outlier.max_ms",
            "be between `outlier.base_ms` and 3600000",
        )
    }
}

/// Judges the endpoints of one peer. They may come and go: each keeps its own [`Standing`].
#[derive(Debug)]
pub struct Outliers {
    settings: OutlierSettings,
    born: Instant,
    /// Held while an ejection is decided: two at once could eject one too many.
    dice: Mutex<fastrand::Rng>,
}

/// How one endpoint has done of late.
#[derive(Debug)]
pub struct Standing {
    calls: Window,
    failures: Window,
    /// Milliseconds since the birth of the [`Outliers`].
    ejected_until_ms: AtomicU64,
    /// Ejections not yet forgotten at the last one; changed under the lock.
    ejections: AtomicU64,
}

/// The calls of a window, and the failures among them.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    calls: u64,
    failures: u64,
}

impl Outliers {
    /// Checks the settings. `seed` drives the jitter: random in production, fixed in tests.
    pub fn new(
        settings: &OutlierSettings,
        now: Instant,
        seed: u64,
    ) -> Result<Self, InvalidSetting> {
        settings.validate()?;
        Ok(Self {
            settings: *settings,
            born: now,
            dice: Mutex::new(fastrand::Rng::with_seed(seed)),
        })
    }

    /// The standing of an endpoint that is new: nothing is held against it.
    pub fn newcomer(&self) -> Standing {
        Standing {
            calls: Window::new(self.settings.window_ms),
            failures: Window::new(self.settings.window_ms),
            ejected_until_ms: AtomicU64::new(0),
            ejections: AtomicU64::new(0),
        }
    }

    /// Counts a call that ended, and ejects its endpoint if it has become an outlier among `all`,
    /// itself included; gives the length of that ejection. `all` is walked only after failures.
    pub fn record<'a>(
        &self,
        endpoint: &'a Standing,
        all: impl IntoIterator<Item = &'a Standing>,
        ok: bool,
        now: Instant,
    ) -> Option<Duration> {
        if self.settings.failure_percent == 0 {
            return None;
        }
        let now_ms = self.millis(now);
        endpoint.calls.add(now_ms, 1);
        if ok {
            return None;
        }
        endpoint.failures.add(now_ms, 1);
        if !self.fails_often(endpoint.counts(now_ms)) {
            return None;
        }
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        if endpoint.is_ejected(now_ms) || !self.stands_out(endpoint, all, now_ms) {
            return None;
        }
        Some(self.eject(endpoint, now_ms, &mut dice))
    }

    /// Whether to leave the endpoint out. With all others gone or refusing, ask it all the same.
    pub fn is_ejected(&self, endpoint: &Standing, now: Instant) -> bool {
        endpoint.is_ejected(self.millis(now))
    }

    /// How long it is still left out; `None` when it is not.
    pub fn ejected_for(&self, endpoint: &Standing, now: Instant) -> Option<Duration> {
        let until_ms = endpoint.ejected_until_ms.load(Relaxed);
        let left_ms = until_ms.saturating_sub(self.millis(now));
        (left_ms > 0).then(|| Duration::from_millis(left_ms))
    }

    fn fails_often(&self, Counts { calls, failures }: Counts) -> bool {
        calls >= u64::from(self.settings.minimum_calls)
            && failures * 100 >= calls * u64::from(self.settings.failure_percent)
    }

    fn stands_out<'a>(
        &self,
        endpoint: &Standing,
        all: impl IntoIterator<Item = &'a Standing>,
        now_ms: u64,
    ) -> bool {
        let (mut endpoints, mut ejected, mut others) = (0_u64, 0_u64, Counts::default());
        for other in all {
            endpoints += 1;
            if other.is_ejected(now_ms) {
                ejected += 1;
            } else if !std::ptr::eq(other, endpoint) {
                let counts = other.counts(now_ms);
                others.calls += counts.calls;
                others.failures += counts.failures;
            }
        }
        let own = endpoint.counts(now_ms);
        let margin = u64::from(self.settings.margin_points);
        // Shares as fractions on a common denominator, so that nothing is rounded.
        let stands_above = own.failures * others.calls * 100
            >= (others.failures * 100 + margin * others.calls) * own.calls;
        (ejected + 1) * 2 <= endpoints
            && others.calls >= u64::from(self.settings.minimum_calls)
            && stands_above
    }

    fn eject(&self, endpoint: &Standing, now_ms: u64, dice: &mut fastrand::Rng) -> Duration {
        let OutlierSettings {
            base_ms, max_ms, ..
        } = self.settings;
        let back_since_ms = now_ms.saturating_sub(endpoint.ejected_until_ms.load(Relaxed));
        let remembered = endpoint.ejections.load(Relaxed);
        let ejections = remembered.saturating_sub(back_since_ms / base_ms) + 1;
        let longest_ms = base_ms.saturating_mul(ejections).min(max_ms);
        let length_ms = longest_ms - dice.u64(0..=longest_ms / 2);
        endpoint.ejections.store(ejections, Relaxed);
        endpoint.ejected_until_ms.store(now_ms + length_ms, Relaxed);
        Duration::from_millis(length_ms)
    }

    fn millis(&self, now: Instant) -> u64 {
        crate::millis_between(self.born, now)
    }
}

impl Standing {
    fn is_ejected(&self, now_ms: u64) -> bool {
        now_ms < self.ejected_until_ms.load(Relaxed)
    }

    fn counts(&self, now_ms: u64) -> Counts {
        let since_ms = self.ejected_until_ms.load(Relaxed);
        Counts {
            calls: self.calls.count(now_ms, since_ms),
            failures: self.failures.count(now_ms, since_ms),
        }
    }
}

#[cfg(test)]
mod tests;
