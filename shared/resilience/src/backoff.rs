//! How long to wait before a repeat: full jitter under a growing ceiling.
//!
//! A wait drawn evenly from zero to the ceiling spreads callers that failed together better than
//! any fixed share of it (AWS Architecture Blog, "Exponential Backoff and Jitter"; Envoy's default).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::settings::{InvalidSetting, require};

/// Settings of [`Backoff`]; the defaults are Envoy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BackoffSettings {
    /// Ceiling of the first wait, in milliseconds; doubles with every repeat.
    pub base_ms: u64,
    /// The ceiling grows no further than this, in milliseconds.
    pub cap_ms: u64,
}

impl Default for BackoffSettings {
    fn default() -> Self {
        Self {
            base_ms: 25,
            cap_ms: 250,
        }
    }
}

/// The waits between attempts of one call.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
}

impl Backoff {
    /// Checks the settings: `1 ≤ base_ms ≤ cap_ms`.
    pub fn new(settings: &BackoffSettings) -> Result<Self, InvalidSetting> {
        require(settings.base_ms > 0, "backoff.base_ms", "be at least 1")?;
        require(
            settings.base_ms <= settings.cap_ms,
            "backoff.cap_ms",
            "be at least `backoff.base_ms`",
        )?;
        Ok(Self {
            base: Duration::from_millis(settings.base_ms),
            cap: Duration::from_millis(settings.cap_ms),
        })
    }

    /// The waits of a constant: a ceiling that doubles from `base` to `cap`.
    pub const fn doubling(base: Duration, cap: Duration) -> Self {
        Self { base, cap }
    }

    /// The wait before the repeat number `repeat`, counted from 0.
    pub fn delay(&self, repeat: u32, rng: &mut fastrand::Rng) -> Duration {
        let factor = 1_u32.checked_shl(repeat).unwrap_or(u32::MAX);
        let ceiling = self.base.saturating_mul(factor).min(self.cap);
        ceiling.mul_f64(rng.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng;
    use proptest::prelude::*;

    #[test]
    fn the_ceiling_doubles_from_25_ms_and_stops_at_250_ms() {
        let backoff = Backoff::new(&BackoffSettings::default()).unwrap();
        let mut rng = rng(7);
        for (repeat, ceiling_ms) in [(0, 25), (1, 50), (2, 100), (3, 200), (4, 250), (40, 250)] {
            let waits: Vec<_> = (0..2_000)
                .map(|_| backoff.delay(repeat, &mut rng))
                .collect();
            let ceiling = Duration::from_millis(ceiling_ms);
            let longest = waits.iter().max().copied().unwrap();
            assert!(
                longest <= ceiling && longest > ceiling.mul_f64(0.95),
                "{longest:?}"
            );
            let shortest = waits.iter().min().copied().unwrap();
            assert!(shortest < ceiling.mul_f64(0.05), "{shortest:?}");
        }
    }

    #[test]
    fn contradicting_settings_are_refused_by_name() {
        let settings = BackoffSettings {
            base_ms: 10,
            cap_ms: 9,
        };
        assert_eq!(Backoff::new(&settings).unwrap_err().key, "backoff.cap_ms");
        let settings = BackoffSettings {
            base_ms: 0,
            cap_ms: 9,
        };
        assert_eq!(Backoff::new(&settings).unwrap_err().key, "backoff.base_ms");
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_its_ceiling_nor_than_the_cap(
            base_ms in 1..=u64::MAX, cap_ms in 1..=u64::MAX, repeat: u32, seed: u64,
        ) {
            prop_assume!(base_ms <= cap_ms);
            let backoff = Backoff::new(&BackoffSettings { base_ms, cap_ms }).unwrap();
            let wait = backoff.delay(repeat, &mut rng(seed));
            let ceiling_ms = u128::from(base_ms) << repeat.min(64);
            prop_assert!(wait.as_millis() <= ceiling_ms.min(u128::from(cap_ms)));
            prop_assert_eq!(wait, backoff.delay(repeat, &mut rng(seed)));
        }
    }
}
