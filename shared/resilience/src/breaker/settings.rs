//! When a breaker opens, for how long, and how it closes again.

use serde::{Deserialize, Serialize};

use super::word::{MAX_FAILURES, MAX_PROBES};
use crate::settings::{InvalidSetting, require};
use crate::window::BUCKETS;

pub(super) const NANOS_PER_MS: u64 = 1_000_000;

/// Settings of [`Breaker`](super::Breaker).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerSettings {
    /// Opens after this many failures in a row (the guide: 5).
    pub consecutive_failures: u8,
    /// Opens when at least this share of the window's calls failed, in percent (resilience4j: 50).
    pub failure_percent: u8,
    /// … provided the window holds at least this many calls (20: a share of fewer says little).
    pub minimum_calls: u32,
    /// A call that took this long, in milliseconds, is slow, whether it failed or not; 0 leaves
    /// slowness out (half of an attempt's 2 s).
    pub slow_call_ms: u64,
    /// Opens when at least this share of the window's calls was slow, in percent; a slow probe
    /// fails (resilience4j has the rule, and 100 % of 60 s).
    pub slow_percent: u8,
    /// How long a call counts for the shares, in milliseconds (linkerd: 10 s).
    pub window_ms: u64,
    /// How long it stays open the first time, in milliseconds, half of it jitter (Finagle: 5 s).
    pub open_ms: u64,
    /// Doubled each time it opens again before it was healthy for the time of the ramp, it stays
    /// open no longer than this (the guide: 60 s).
    pub max_open_ms: u64,
    /// Probes that must all succeed before it closes, and no more at once (3).
    pub probes: u8,
    /// A probe that has not come back after this long no longer holds its place, in milliseconds.
    pub max_half_open_ms: u64,
    /// After closing, the share of calls that pass grows from a tenth to all over this long, in
    /// milliseconds; 0 lets all pass at once (Envoy's slow start; 10 s, as the window).
    pub ramp_ms: u64,
    /// At least this many calls a second pass during that time (10: a quiet client is not refused).
    pub ramp_floor_per_second: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
            failure_percent: 50,
            minimum_calls: 20,
            slow_call_ms: 1_000,
            slow_percent: 80,
            window_ms: 10_000,
            open_ms: 5_000,
            max_open_ms: 60_000,
            probes: 3,
            max_half_open_ms: 10_000,
            ramp_ms: 10_000,
            ramp_floor_per_second: 10,
        }
    }
}

impl BreakerSettings {
    /// Checks each setting and what they mean together.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        require(
            (1..=MAX_FAILURES).contains(&self.consecutive_failures),
            "breaker.consecutive_failures",
            "be between 1 and 255",
        )?;
        require(
            (1..=100).contains(&self.failure_percent),
            "breaker.failure_percent",
            "be between 1 and 100",
        )?;
        require(
            (1..=100_000).contains(&self.minimum_calls),
            "breaker.minimum_calls",
            "be between 1 and 100000",
        )?;
        require(
            self.slow_call_ms <= DAY_MS,
            "breaker.slow_call_ms",
            "be at most a day",
        )?;
        require(
            (1..=100).contains(&self.slow_percent),
            "breaker.slow_percent",
            "be between 1 and 100",
        )?;
        require(
            (100..=600_000).contains(&self.window_ms),
            "breaker.window_ms",
            "be between 100 and 600000",
        )?;
        // Closing starts a new count at the bucket of that moment: with jitter the breaker is open
        // for half of `open_ms` at least, which then spans a bucket and leaves no old call in it.
        require(
            self.open_ms >= self.window_ms / BUCKETS * 2,
            "breaker.open_ms",
            "be at least a fifth of `breaker.window_ms`",
        )?;
        require(
            (self.open_ms..=DAY_MS).contains(&self.max_open_ms),
            "breaker.max_open_ms",
            "be between `breaker.open_ms` and a day",
        )?;
        require(
            (1..=MAX_PROBES).contains(&self.probes),
            "breaker.probes",
            "be between 1 and 7",
        )?;
        require(
            (1..=DAY_MS).contains(&self.max_half_open_ms),
            "breaker.max_half_open_ms",
            "be between 1 and a day",
        )?;
        require(
            self.ramp_ms <= DAY_MS,
            "breaker.ramp_ms",
            "be at most a day",
        )?;
        require(
            self.ramp_floor_per_second <= 1000,
            "breaker.ramp_floor_per_second",
            "be at most 1000",
        )
    }

    /// From how many nanoseconds on a call is slow; slowness that does not matter takes for ever.
    pub(super) const fn slow_ns(&self) -> u64 {
        match self.slow_call_ms {
            0 => u64::MAX,
            millis => millis * NANOS_PER_MS,
        }
    }

    /// From when on a call that was given up without a verdict hung: when it was slow or, should
    /// slowness not matter, when a probe would be given up for lost.
    pub(super) const fn hung_ns(&self) -> u64 {
        match self.slow_call_ms {
            0 => self.max_half_open_ms * NANOS_PER_MS,
            millis => millis * NANOS_PER_MS,
        }
    }

    /// How long it is to be healthy after closing before its trips are forgotten.
    pub(super) const fn recovery_ms(&self) -> u64 {
        if self.ramp_ms > 0 {
            self.ramp_ms
        } else {
            self.window_ms
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_hold() {
        assert_eq!(BreakerSettings::default().validate(), Ok(()));
    }

    #[test]
    fn each_contradiction_is_refused_by_the_name_of_its_key() {
        let defaults = BreakerSettings::default();
        for (settings, key) in [
            (
                BreakerSettings {
                    consecutive_failures: 0,
                    ..defaults
                },
                "breaker.consecutive_failures",
            ),
            (
                BreakerSettings {
                    failure_percent: 101,
                    ..defaults
                },
                "breaker.failure_percent",
            ),
            (
                BreakerSettings {
                    minimum_calls: 0,
                    ..defaults
                },
                "breaker.minimum_calls",
            ),
            (
                BreakerSettings {
                    window_ms: 99,
                    ..defaults
                },
                "breaker.window_ms",
            ),
            (
                BreakerSettings {
                    open_ms: 1_999,
                    ..defaults
                },
                "breaker.open_ms",
            ),
            (
                BreakerSettings {
                    max_open_ms: 4_999,
                    ..defaults
                },
                "breaker.max_open_ms",
            ),
            (
                BreakerSettings {
                    probes: 8,
                    ..defaults
                },
                "breaker.probes",
            ),
            (
                BreakerSettings {
                    max_half_open_ms: 0,
                    ..defaults
                },
                "breaker.max_half_open_ms",
            ),
            (
                BreakerSettings {
                    slow_call_ms: u64::MAX,
                    ..defaults
                },
                "breaker.slow_call_ms",
            ),
            (
                BreakerSettings {
                    slow_percent: 0,
                    ..defaults
                },
                "breaker.slow_percent",
            ),
            (
                BreakerSettings {
                    ramp_ms: u64::MAX,
                    ..defaults
                },
                "breaker.ramp_ms",
            ),
            (
                BreakerSettings {
                    ramp_floor_per_second: 1_001,
                    ..defaults
                },
                "breaker.ramp_floor_per_second",
            ),
        ] {
            assert_eq!(settings.validate().unwrap_err().key, key);
        }
    }
}
