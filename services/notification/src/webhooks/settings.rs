//! The `webhooks` section of the settings.

use std::time::Duration;

use lyceum_chassis::settings::{Environment, SettingsError};
use lyceum_client::outside::Reach;
use serde::{Deserialize, Serialize};

/// How messages are sent to receivers; `default.toml` explains each key.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksSettings {
    /// Send from this process.
    pub run: bool,
    /// Send also within the machine and its network, and with http.
    pub allow_private: bool,
    /// Receivers that may be registered, 1 to 1000.
    pub most: u64,
    /// Messages on their way at once, 1 to 1000.
    pub concurrency: usize,
    /// Of them to one host and port, 1 to `concurrency`.
    pub per_target: usize,
    /// How often to look for messages when nobody tells of one, 1 ms to a day.
    pub poll_ms: u64,
    /// How long a claimed message is nobody else's, 1 ms to a day.
    pub lease_ms: u64,
    /// How long sending one message may take, 1 ms to `lease_ms`.
    pub timeout_ms: u64,
    /// How long an old secret signs too, 0 to 720 hours.
    pub old_secret_hours: u64,
    /// How long everything may fail before a receiver is disabled, 1 to 8760 hours.
    pub disable_after_hours: u64,
    /// How long a message that has come to its end can be looked up, 1 to 3650 days.
    pub keep_days: u64,
}

impl WebhooksSettings {
    /// Refuses what cannot work; names the key.
    pub(crate) fn check(&self, environment: Environment) -> Result<(), SettingsError> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        let concurrency = self.concurrency as u64;
        let per_target = self.per_target as u64;
        let limits = [
            ("webhooks.most", self.most, 1..=1000),
            ("webhooks.concurrency", concurrency, 1..=1000),
            ("webhooks.per_target", per_target, 1..=concurrency),
            ("webhooks.poll_ms", self.poll_ms, 1..=DAY_MS),
            ("webhooks.lease_ms", self.lease_ms, 1..=DAY_MS),
            ("webhooks.timeout_ms", self.timeout_ms, 1..=self.lease_ms),
            ("webhooks.old_secret_hours", self.old_secret_hours, 0..=720),
            (
                "webhooks.disable_after_hours",
                self.disable_after_hours,
                1..=8760,
            ),
            ("webhooks.keep_days", self.keep_days, 1..=3650),
        ];
        for (key, value, range) in limits {
            if !range.contains(&value) {
                let (least, most) = range.into_inner();
                let rule = format!("must be between {least} and {most}");
                return Err(SettingsError::refused(key, rule));
            }
        }
        if environment == Environment::Production && self.allow_private {
            // What this process can reach, whoever registers a receiver could.
            let rule = "must be false in production: receivers would be within the network";
            return Err(SettingsError::refused("webhooks.allow_private", rule));
        }
        Ok(())
    }

    pub(super) const fn reach(&self) -> Reach {
        if self.allow_private {
            Reach::Anywhere
        } else {
            Reach::Public
        }
    }

    pub(super) const fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }

    pub(super) const fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    pub(super) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(super) const fn old_secret(&self) -> Duration {
        Duration::from_hours(self.old_secret_hours)
    }

    pub(super) const fn disable_after(&self) -> Duration {
        Duration::from_hours(self.disable_after_hours)
    }

    pub(super) const fn keep(&self) -> Duration {
        Duration::from_hours(24 * self.keep_days)
    }
}
