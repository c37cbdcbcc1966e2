//! When a breaker opens, for how long, and how it closes again.

use serde::{Deserialize, Serialize};

use super::machine::{MAX_FAILURES, MAX_PROBES};
use crate::settings::{InvalidSetting, require};
use crate::window::BUCKETS;

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
    /// How long a call counts for the share, in milliseconds (linkerd: 10 s).
    pub window_ms: u64,
    /// How long it stays open the first time, in milliseconds, half of it jitter (Finagle: 5 s).
    pub open_ms: u64,
    /// Doubled after each failed probe, it stays open no longer than this (the guide: 60 s).
    pub max_open_ms: u64,
    /// Probes that must all succeed before it closes, and no more at once (3).
    pub probes: u8,
    /// A probe that has not come back after this long no longer holds its place, in milliseconds.
    pub max_half_open_ms: u64,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
            failure_percent: 50,
            minimum_calls: 20,
            window_ms: 10_000,
            open_ms: 5_000,
            max_open_ms: 60_000,
            probes: 3,
            max_half_open_ms: 10_000,
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
        )
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
        ] {
            assert_eq!(settings.validate().unwrap_err().key, key);
        }
    }
}
