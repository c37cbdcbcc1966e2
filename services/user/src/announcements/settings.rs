//! The `announcements` section of the settings.

use lyceum_chassis::settings::SettingsError;
use serde::{Deserialize, Serialize};

/// How an announcement reaches everybody.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AnnouncementSettings {
    /// People under way at any moment, 1 to 1000.
    pub at_once: u64,
}

impl AnnouncementSettings {
    /// Refuses what cannot be meant; names the key.
    pub(crate) fn check(self) -> Result<(), SettingsError> {
        if (1..=1_000).contains(&self.at_once) {
            return Ok(());
        }
        let rule = "must be between 1 and 1000";
        Err(SettingsError::refused("announcements.at_once", rule))
    }
}
