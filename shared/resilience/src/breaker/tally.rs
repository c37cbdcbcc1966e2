//! What the calls of a closed breaker came to: how many, how many failed, how many were slow.

use super::report::Cause;
use super::settings::BreakerSettings;
use crate::window::{Busy, Window};

/// Three counts over one window. The second and third are written for the calls they are about
/// alone, so that a quick success pays for one addition.
#[derive(Debug)]
pub(super) struct Tally {
    calls: Busy,
    failures: Window,
    slow: Window,
}

/// The counts of one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    pub(super) calls: u64,
    pub(super) failures: u64,
    pub(super) slow: u64,
}

impl Tally {
    pub(super) fn new(window_ms: u64) -> Self {
        Self {
            calls: Busy::new(window_ms),
            failures: Window::new(window_ms),
            slow: Window::new(window_ms),
        }
    }

    /// The same counts in a window of another length.
    pub(super) fn resized(&self, window_ms: u64, now_ms: u64, since_ms: u64) -> Self {
        let resized = |window: &Window| window.resized(window_ms, now_ms, since_ms);
        Self {
            calls: self.calls.resized(window_ms, now_ms, since_ms),
            failures: resized(&self.failures),
            slow: resized(&self.slow),
        }
    }

    /// Counts one call.
    pub(super) fn add(&self, now_ms: u64, failed: bool, slow: bool) {
        self.calls.add_one(now_ms);
        if failed {
            self.failures.add(now_ms, 1);
        }
        if slow {
            self.slow.add(now_ms, 1);
        }
    }

    /// The counts of the window that ends at `now_ms` and does not begin before `since_ms`.
    pub(super) fn counts(&self, now_ms: u64, since_ms: u64) -> Counts {
        Counts {
            calls: self.calls.count(now_ms, since_ms),
            failures: self.failures.count(now_ms, since_ms),
            slow: self.slow.count(now_ms, since_ms),
        }
    }
}

impl Counts {
    /// Whether a share is reached that opens the breaker.
    pub(super) fn tripped(self, settings: &BreakerSettings) -> Option<Cause> {
        let reached = |count, percent: u8| count * 100 >= self.calls * u64::from(percent);
        if self.calls < u64::from(settings.minimum_calls) {
            None
        } else if reached(self.failures, settings.failure_percent) {
            Some(Cause::FailureShare)
        } else if settings.slow_call_ms > 0 && reached(self.slow, settings.slow_percent) {
            Some(Cause::SlowShare)
        } else {
            None
        }
    }
}
