//! The `import` section of the settings.

use lyceum_chassis::settings::SettingsError;
use serde::{Deserialize, Serialize};

/// What an upload may be.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImportSettings {
    /// Lines of one upload, blank ones included; 1 to 10 000 000.
    pub max_lines: u64,
}

impl ImportSettings {
    /// Refuses what cannot be meant; names the key.
    pub(crate) fn check(self) -> Result<(), SettingsError> {
        const MOST: u64 = 10_000_000;
        if (1..=MOST).contains(&self.max_lines) {
            return Ok(());
        }
        let rule = format!("must be between 1 and {MOST}");
        Err(SettingsError::refused("import.max_lines", rule))
    }
}
