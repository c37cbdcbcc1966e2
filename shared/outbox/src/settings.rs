//! The `outbox` section of a service's settings.
//!
//! ```toml
//! [outbox]
//! # Deliver from this process. Off in tests that drive the relay by hand.
//! relay = true
//! # Look for rows this often when nobody wakes the relay: other replicas, ended leases.
//! poll_ms = 500
//! # Events per request to the notification service, at most 100.
//! batch = 100
//! # A claimed row is anybody's again after this; longer than one delivery can take.
//! lease_ms = 30_000
//! ```

use std::time::Duration;

use lyceum_chassis::settings::SettingsError;
use lyceum_contracts::event::MAX_BATCH;
use serde::{Deserialize, Serialize};

/// How a service delivers its events.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OutboxSettings {
    /// Deliver from this process.
    pub relay: bool,
    /// How often to look for rows when nobody wakes the relay; at most once a day apart.
    pub poll_ms: u64,
    /// Events per request, 1 to [`MAX_BATCH`].
    pub batch: usize,
    /// How long a claimed row is nobody else's. A shorter lease than one delivery takes (the
    /// client's `total_timeout_ms`) tells events twice without need.
    pub lease_ms: u64,
}

impl OutboxSettings {
    /// Refuses what cannot work; for `ServiceSettings::check`.
    ///
    /// # Errors
    /// Names the key.
    pub fn check(&self) -> Result<(), SettingsError> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        let up_to_a_day = |key, millis| {
            if (1..=DAY_MS).contains(&millis) {
                Ok(())
            } else {
                Err(SettingsError::refused(key, "must be between 1 and a day"))
            }
        };
        up_to_a_day("outbox.poll_ms", self.poll_ms)?;
        up_to_a_day("outbox.lease_ms", self.lease_ms)?;
        if !(1..=MAX_BATCH).contains(&self.batch) {
            let rule = format!("must be between 1 and {MAX_BATCH}");
            return Err(SettingsError::refused("outbox.batch", rule));
        }
        Ok(())
    }

    pub(crate) const fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }

    pub(crate) const fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_refused_by_name() {
        let usable = OutboxSettings {
            relay: true,
            poll_ms: 500,
            batch: 100,
            lease_ms: 30_000,
        };
        usable.check().unwrap();
        for (settings, key) in [
            (
                OutboxSettings {
                    poll_ms: 0,
                    ..usable.clone()
                },
                "outbox.poll_ms",
            ),
            (
                OutboxSettings {
                    batch: 0,
                    ..usable.clone()
                },
                "outbox.batch",
            ),
            (
                OutboxSettings {
                    batch: 101,
                    ..usable.clone()
                },
                "outbox.batch",
            ),
            (
                OutboxSettings {
                    lease_ms: 0,
                    ..usable.clone()
                },
                "outbox.lease_ms",
            ),
            (
                OutboxSettings {
                    lease_ms: u64::MAX,
                    ..usable.clone()
                },
                "outbox.lease_ms",
            ),
            (
                OutboxSettings {
                    poll_ms: u64::MAX,
                    ..usable
                },
                "outbox.poll_ms",
            ),
        ] {
            assert!(settings.check().unwrap_err().to_string().contains(key));
        }
    }
}
