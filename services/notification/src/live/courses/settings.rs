//! The `courses` section of the settings.

use std::time::Duration;

use lyceum_chassis::settings::SettingsError;
use serde::{Deserialize, Serialize};

use crate::inbox::settings::check_days;

/// Live streams of courses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CoursesSettings {
    /// Milliseconds for which somebody who is in a course is taken to be in it; then the course
    /// service is asked again, about those who listen too.
    pub member_for_ms: u64,
    /// Milliseconds for which somebody who is not is taken not to be.
    pub stranger_for_ms: u64,
    /// The most answers that are remembered at once.
    pub remembered: u64,
    /// How long what has happened in a course is kept.
    pub keep_days: u64,
}

/// Who has left a course hears of it no longer than this (milliseconds).
const MEMBER_FOR_MAX_MS: u64 = 600_000;

impl CoursesSettings {
    pub(super) const fn member_for(self) -> Duration {
        Duration::from_millis(self.member_for_ms)
    }

    pub(super) const fn stranger_for(self) -> Duration {
        Duration::from_millis(self.stranger_for_ms)
    }

    /// Refuses what cannot work; names the key.
    pub(crate) fn check(self) -> Result<(), SettingsError> {
        for (key, millis) in [
            ("courses.member_for_ms", self.member_for_ms),
            ("courses.stranger_for_ms", self.stranger_for_ms),
        ] {
            if !(1..=MEMBER_FOR_MAX_MS).contains(&millis) {
                let rule = format!("must be between 1 and {MEMBER_FOR_MAX_MS}");
                return Err(SettingsError::refused(key, rule));
            }
        }
        check_days("courses.keep_days", self.keep_days)
    }
}
