//! The `jobs` section of the settings.

use std::time::Duration;

use lyceum_chassis::settings::SettingsError;
use serde::{Deserialize, Serialize};

/// How jobs are worked on, and how long they are kept.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct JobSettings {
    /// Work on jobs in this process.
    pub run: bool,
    /// How often to look for jobs when nobody tells of one, 1 ms to a day.
    pub poll_ms: u64,
    /// How long a job belongs to whoever claimed it or last did a step of it, 1 ms to a day.
    pub lease_ms: u64,
    /// Jobs worked on at once in this process, 1 to 16; each holds a connection during a step.
    pub concurrency: usize,
    /// How often a step is tried before its job is given up, 1 to 100.
    pub attempts: u32,
    /// How long a finished job can be asked for, a minute to a year.
    pub keep_s: u64,
}

impl JobSettings {
    /// Refuses what cannot work; names the key.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        const YEAR_S: u64 = 365 * 24 * 60 * 60;
        let limits = [
            ("jobs.poll_ms", self.poll_ms, 1..=DAY_MS),
            ("jobs.lease_ms", self.lease_ms, 1..=DAY_MS),
            ("jobs.concurrency", self.concurrency as u64, 1..=16),
            ("jobs.attempts", self.attempts.into(), 1..=100),
            ("jobs.keep_s", self.keep_s, 60..=YEAR_S),
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
        Duration::from_secs(self.keep_s)
    }
}
