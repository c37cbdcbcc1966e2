//! The `page` section of the settings.

use lyceum_chassis::http::origin_authority;
use lyceum_chassis::settings::SettingsError;
use serde::{Deserialize, Serialize};

/// What the live page is told; `default.toml` explains the key.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PageSettings {
    /// The user service as browsers reach it, an origin such as `http://127.0.0.1:8001`.
    pub user_url: String,
}

impl PageSettings {
    /// Refuses what no page may be told; names the key.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        // What an authority may hold besides would end a word of the page's policy.
        let is_plain = |text: &str| !text.contains([',', ';', '\'', '&']);
        match origin_authority(&self.user_url) {
            Some(authority) if is_plain(authority) => Ok(()),
            _ => Err(SettingsError::refused(
                "page.user_url",
                "must be an origin, such as http://127.0.0.1:8001",
            )),
        }
    }
}
