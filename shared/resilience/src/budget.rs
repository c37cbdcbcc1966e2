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
use crate::window::{BUCKETS, Counts, Window};

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
    window: Window,
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
            window: Window::new(settings.window_ms),
        })
    }

    /// Pays in for one logical call.
    pub fn deposit(&self, now: Instant) {
        self.window.add(
            self.millis(now),
            Counts {
                calls: 1,
                marked: 0,
            },
        );
    }

    /// Sets one repeat aside, or says no.
    ///
    /// Under contention it may refuse a repeat it could have granted, never the other way round.
    pub fn reserve(&self, now: Instant) -> Option<Reservation<'_>> {
        let at_ms = self.millis(now);
        self.window.add(
            at_ms,
            Counts {
                calls: 0,
                marked: 1,
            },
        );
        let reservation = Reservation {
            budget: self,
            at_ms,
        };
        let Counts { calls, marked } = self.window.counts(at_ms, 0);
        // A refused reservation takes itself back as it is dropped.
        (marked * 100 <= self.allowance(calls)).then_some(reservation)
    }

    /// Repeats that could be granted at `now`.
    pub fn balance(&self, now: Instant) -> u64 {
        let Counts { calls, marked } = self.window.counts(self.millis(now), 0);
        self.allowance(calls).saturating_sub(marked * 100) / 100
    }

    /// Repeats allowed with `calls` in the window, in hundredths.
    fn allowance(&self, calls: u64) -> u64 {
        calls * self.percent + self.floor * 100
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
        self.budget.window.unmark(self.at_ms);
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
    fn ten_thousand_failing_calls_at_any_percentage_repeat_exactly_that_share() {
        let now = Instant::now();
        for percent in 1..=100 {
            let budget = budget(percent, 0, now);
            let repeats = (0..10_000)
                .filter(|_| {
                    budget.deposit(now);
                    spend(&budget, now)
                })
                .count();
            assert_eq!(repeats, usize::from(percent) * 100, "{percent} %");
        }
    }

    #[test]
    fn a_quiet_client_has_the_floor_and_no_more() {
        let now = Instant::now();
        let budget = budget(10, 3, now);
        assert_eq!(budget.balance(now), 30);
        assert_eq!((0..100).filter(|_| spend(&budget, now)).count(), 30);
        assert_eq!(budget.balance(now), 0);
    }

    #[test]
    fn an_unspent_reservation_costs_nothing() {
        let now = Instant::now();
        let budget = budget(0, 1, now);
        for _ in 0..100 {
            assert!(budget.reserve(now).is_some());
        }
        assert_eq!(budget.balance(now), 10);
    }

    #[test]
    fn calls_and_repeats_are_forgotten_after_the_window() {
        let now = Instant::now();
        let budget = budget(10, 1, now);
        (0..1_000).for_each(|_| budget.deposit(now));
        while spend(&budget, now) {}
        assert_eq!(budget.balance(now + Duration::from_secs(10)), 10);
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
