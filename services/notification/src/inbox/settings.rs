//! How long what is in an inbox is kept.

use std::time::Duration;

use lyceum_chassis::settings::SettingsError;
use serde::{Deserialize, Serialize};

/// How long what is in an inbox is kept; what waits to be read stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct InboxSettings {
    /// After it was read.
    pub keep_read_days: u64,
    /// After it was put away.
    pub keep_archived_days: u64,
    /// After it has expired, though nobody is shown it any more.
    pub keep_expired_days: u64,
    /// What was done with it: a client that was away for longer cannot go on where it was.
    pub keep_changes_days: u64,
}

impl InboxSettings {
    /// Refuses what cannot work; names the key.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let days = [
            ("inbox.keep_read_days", self.keep_read_days),
            ("inbox.keep_archived_days", self.keep_archived_days),
            ("inbox.keep_expired_days", self.keep_expired_days),
            ("inbox.keep_changes_days", self.keep_changes_days),
        ];
        days.into_iter()
            .try_for_each(|(key, days)| check_days(key, days))
    }
}

/// Ten years at most.
pub(crate) fn check_days(key: &str, days: u64) -> Result<(), SettingsError> {
    if (1..=3650).contains(&days) {
        Ok(())
    } else {
        Err(SettingsError::refused(key, "must be between 1 and 3650"))
    }
}

pub(crate) const fn days(number: u64) -> Duration {
    Duration::from_hours(24 * number)
}
