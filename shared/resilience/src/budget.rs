//! How many repeats a peer may be burdened with.
//!
//! Retries help against a hiccup and kill in an outage: three hops of four attempts are 64 calls
//! for one. A budget ties repeats to the calls really made: a tenth of them, plus a small floor so
//! that a quiet client may still retry. Three hops then make at most 1.1³ = 1.33 calls of one.
//!
//! Exact for every percentage: the sums are integers, not rounded tokens. One budget per
//! destination; every logical call pays in once, whatever its number of attempts.

use serde::{Deserialize, Serialize};

use crate::deadline::Instant;
use crate::settings::{InvalidSetting, require};
use crate::window::{BUCKETS, Busy, Window};

/// Settings of [`RetryBudget`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    /// Repeats allowed per hundred calls in the window (.NET 11: 10).
    pub percent: u8,
    /// Repeats allowed on top, per second of the window (Envoy's floor: 3).
    pub floor_per_second: u32,
    /// How long a call counts, in milliseconds (Finagle, tower: 10 s).
    pub window_ms: u64,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self {
            percent: 10,
            floor_per_second: 3,
            window_ms: 10_000,
        }
    }
}

/// Counts calls and repeats; grants a repeat while the ratio allows it.
#[derive(Debug)]
pub struct RetryBudget {
    percent: u64,
    /// `floor_per_second` over the whole window.
    floor: u64,
    born: Instant,
    calls: Busy,
    repeats: Window,
}

impl RetryBudget {
    /// Checks the settings: `percent ≤ 100`, `1 s ≤ window_ms ≤ 10 min`, floor at most 1000/s.
    pub fn new(settings: &BudgetSettings, now: Instant) -> Result<Self, InvalidSetting> {
        require(settings.percent <= 100, "budget.percent", "be at most 100")?;
        require(
            settings.floor_per_second <= 1000,
            "budget.floor_per_second",
            "be at most 1000",
        )?;
        require(
            (1_000..=600_000).contains(&settings.window_ms),
            "budget.window_ms",
            "be between 1000 and 600000",
        )?;
        debug_assert!(settings.window_ms >= BUCKETS);
        Ok(Self {
            percent: settings.percent.into(),
            floor: u64::from(settings.floor_per_second) * settings.window_ms / 1000,
            born: now,
            calls: Busy::new(settings.window_ms),
            repeats: Window::new(settings.window_ms),
        })
    }

    /// Pays in for one logical call.
    pub fn deposit(&self, now: Instant) {
        self.calls.add_one(self.millis(now));
    }

    /// Sets one repeat aside, or says no.
    ///
    /// Under contention it may refuse a repeat it could have granted, never the other way round.
    pub fn reserve(&self, now: Instant) -> Option<Reservation<'_>> {
        let at_ms = self.millis(now);
        self.repeats.add(at_ms, 1);
        let reservation = Reservation {
            budget: self,
            at_ms,
        };
        // Written before it is read, so that of two that want the last repeat none misses the
        // other. A refused reservation takes itself back as it is dropped.
        let repeats = self.repeats.count(at_ms, 0);
        (repeats * 100 <= self.allowance(at_ms)).then_some(reservation)
    }

    /// Repeats that could be granted at `now`.
    pub fn balance(&self, now: Instant) -> u64 {
        let now_ms = self.millis(now);
        let repeats = self.repeats.count(now_ms, 0);
        self.allowance(now_ms).saturating_sub(repeats * 100) / 100
    }

    /// Repeats allowed by the calls in the window, in hundredths.
    fn allowance(&self, now_ms: u64) -> u64 {
        self.calls.count(now_ms, 0) * self.percent + self.floor * 100
    }

    fn millis(&self, now: Instant) -> u64 {
        crate::millis_between(self.born, now)
    }
}

/// One repeat set aside. Dropped unspent, because the repeat was refused locally or its caller
/// went away, it returns to the budget.
#[must_use = "an unspent reservation returns to the budget as it is dropped"]
#[derive(Debug)]
pub struct Reservation<'a> {
    budget: &'a RetryBudget,
    at_ms: u64,
}

impl Reservation<'_> {
    /// The repeat goes out: the budget keeps the charge.
    pub fn spend(self) {
        std::mem::forget(self);
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.budget.repeats.take_back(self.at_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn budget(percent: u8, floor_per_second: u32, now: Instant) -> RetryBudget {
        let settings = BudgetSettings {
            percent,
            floor_per_second,
            window_ms: 10_000,
        };
        RetryBudget::new(&settings, now).unwrap()
    }

    fn spend(budget: &RetryBudget, now: Instant) -> bool {
        budget.reserve(now).map(Reservation::spend).is_some()
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let refused = |settings| RetryBudget::new(&settings, Instant::now()).unwrap_err().key;
        let defaults = BudgetSettings::default();
        assert_eq!(
            refused(BudgetSettings {
                percent: 101,
                ..defaults
            }),
            "budget.percent"
        );
        assert_eq!(
            refused(BudgetSettings {
                window_ms: 9,
                ..defaults
            }),
            "budget.window_ms"
        );
        let floor = BudgetSettings {
            floor_per_second: 1001,
            ..defaults
        };
        assert_eq!(refused(floor), "budget.floor_per_second");
    }

    proptest! {
        /// Against a list of everything that happened: the obvious, slow way to count.
        #[test]
        fn never_more_repeats_in_a_window_than_the_formula_allows(
            percent in 0..=100_u8,
            floor in 0..5_u32,
            steps in prop::collection::vec((0..1_500_u64, 0..3_u8), 1..300),
        ) {
            let born = Instant::now();
            let budget = budget(percent, floor, born);
            let (mut now_ms, mut deposits, mut repeats) = (0, Vec::new(), Vec::new());
            for (pause_ms, action) in steps {
                now_ms += pause_ms;
                let now = born + Duration::from_millis(now_ms);
                let tick = now_ms / 1000;
                let live = |ticks: &[u64]| ticks.iter().filter(|t| tick - **t < 10).count() as u64;
                let allowed = live(&deposits) * u64::from(percent) + u64::from(floor) * 1000;
                let model_grants = (live(&repeats) + 1) * 100 <= allowed;
                match action {
                    0 => { budget.deposit(now); deposits.push(tick); }
                    1 => prop_assert_eq!(budget.reserve(now).is_some(), model_grants),
                    _ => {
                        let granted = spend(&budget, now);
                        prop_assert_eq!(granted, model_grants);
                        if granted { repeats.push(tick); }
                    }
                }
            }
        }
    }
}
