//! The `presence` section of the settings.

use std::time::Duration;

use lyceum_chassis::settings::SettingsError;
use serde::{Deserialize, Serialize};

/// How it is written down who is there; `default.toml` explains each key.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PresenceSettings {
    /// Write down who is on the streams of this process.
    pub run: bool,
    /// From one writing to the next, 1 ms to a minute.
    pub write_ms: u64,
    /// How long who has left counts as there, up to an hour.
    pub linger_ms: u64,
    /// How long a process that is silent is taken to live, 3 ms to an hour; it says so three times
    /// as often.
    pub lease_ms: u64,
}

impl PresenceSettings {
    /// Refuses what cannot work; names the key.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        const MINUTE_MS: u64 = 60 * 1000;
        const HOUR_MS: u64 = 60 * MINUTE_MS;
        let limits = [
            ("presence.write_ms", self.write_ms, 1..=MINUTE_MS),
            ("presence.linger_ms", self.linger_ms, 0..=HOUR_MS),
            ("presence.lease_ms", self.lease_ms, 3..=HOUR_MS),
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

    pub(super) const fn write_every(&self) -> Duration {
        Duration::from_millis(self.write_ms)
    }

    pub(super) const fn linger(&self) -> Duration {
        Duration::from_millis(self.linger_ms)
    }

    pub(super) const fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }
}
