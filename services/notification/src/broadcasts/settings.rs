//! The `broadcasts` section of the settings.

use std::time::Duration;

use lyceum_chassis::settings::SettingsError;
use serde::{Deserialize, Serialize};

/// How broadcasts are told; `default.toml` explains each key.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BroadcastsSettings {
    /// Tell them from this process.
    pub run: bool,
    /// People told in one transaction, 1 to 1000.
    pub at_once: usize,
    /// Broadcasts worked on at once in this process, 1 to 16; each holds a connection during a step.
    pub concurrency: usize,
    /// How often to look for broadcasts when nobody tells of one, 1 ms to a day.
    pub poll_ms: u64,
    /// How long one belongs to whoever claimed it or last did a step of it, 1 ms to a day.
    pub lease_ms: u64,
    /// How long one that has ended can be asked for, 1 to 3650 days.
    pub keep_days: u64,
}

impl BroadcastsSettings {
    /// Refuses what cannot work; names the key.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        let limits = [
            ("broadcasts.at_once", self.at_once as u64, 1..=1000),
            ("broadcasts.concurrency", self.concurrency as u64, 1..=16),
            ("broadcasts.poll_ms", self.poll_ms, 1..=DAY_MS),
            ("broadcasts.lease_ms", self.lease_ms, 1..=DAY_MS),
            ("broadcasts.keep_days", self.keep_days, 1..=3650),
        ];
        for (key, value, range) in limits {
            if !range.contains(&value) {
                let (least, most) = range.into_inner();
                let rule = format!("must be between {least} and {most}");
                return Err(SettingsError::refused(key, rule));
            }
        }
        Ok(())
    }

    pub(super) const fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }

    pub(super) const fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    pub(super) const fn keep(&self) -> Duration {
        Duration::from_hours(24 * self.keep_days)
    }
}
