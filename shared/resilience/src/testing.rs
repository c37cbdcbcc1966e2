//! For tests of whatever decides by time and chance: a clock moved by hand, and dice that repeat.
//! What waits, such as a bulkhead's queue, does so on tokio's clock: pause that one.
//!
//! ```
//! use std::time::Duration;
//! use lyceum_resilience::budget::{BudgetSettings, RetryBudget};
//! use lyceum_resilience::testing::ManualClock;
//!
//! let clock = ManualClock::new();
//! let budget = RetryBudget::new(&BudgetSettings::default(), clock.now())?;
//! while let Some(repeat) = budget.reserve(clock.now()) {
//!     repeat.spend();
//! }
//! clock.advance(Duration::from_secs(10));
//! assert_eq!(budget.balance(clock.now()), 30);
//! # Ok::<_, lyceum_resilience::InvalidSetting>(())
//! ```

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::deadline::Instant;

/// A clock that stands still until it is moved, and needs no runtime. Share it by reference.
#[derive(Debug)]
pub struct ManualClock {
    start: Instant,
    elapsed_ns: AtomicU64,
}

impl ManualClock {
    /// Starts at an instant of which only later ones matter.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            elapsed_ns: AtomicU64::new(0),
        }
    }

    /// The instant to pass on as `now`.
    pub fn now(&self) -> Instant {
        self.start + self.elapsed()
    }

    /// Moves on by `length` and gives the instant reached. Holds five centuries in all.
    pub fn advance(&self, length: Duration) -> Instant {
        let length_ns = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        self.elapsed_ns.fetch_add(length_ns, Relaxed);
        self.now()
    }

    /// How far it was moved in all.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_ns.load(Relaxed))
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

/// Dice that fall the same way in every run.
pub fn rng(seed: u64) -> fastrand::Rng {
    fastrand::Rng::with_seed(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_stands_still_until_it_is_moved() {
        let clock = ManualClock::new();
        let start = clock.now();
        assert_eq!(clock.now(), start);
        let moved = clock.advance(Duration::from_millis(7));
        assert_eq!((moved, clock.now()), (start + clock.elapsed(), moved));
        assert_eq!(clock.elapsed(), Duration::from_millis(7));
    }

    #[test]
    fn the_same_seed_draws_the_same_numbers() {
        let drawn = |seed| rng(seed).u64(..);
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }
}
