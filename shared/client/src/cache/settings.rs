//! For how long an answer is kept.

use lyceum_resilience::InvalidSetting;
use serde::{Deserialize, Serialize};

use crate::settings::require;

/// Section `upstreams.<peer>.cache`, for the reads that may be answered from a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CacheSettings {
    /// An answer is given without asking for this long, in milliseconds; 0 keeps none at all.
    pub fresh_ms: u64,
    /// For this much longer it stands in when the peer cannot be asked, in milliseconds.
    pub stale_if_error_ms: u64,
    /// Memory for answers, in bytes; those used least go first.
    pub max_bytes: u64,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            fresh_ms: 0,
            stale_if_error_ms: 60_000,
            max_bytes: 8 * 1024 * 1024,
        }
    }
}

impl CacheSettings {
    /// Checks each setting.
    ///
    /// # Errors
    /// By the key below the upstream's section.
    pub(crate) fn check(&self) -> Result<(), InvalidSetting> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        require(
            self.fresh_ms <= DAY_MS,
            "cache.fresh_ms",
            "be at most a day",
        )?;
        require(
            self.stale_if_error_ms <= DAY_MS,
            "cache.stale_if_error_ms",
            "be at most a day",
        )?;
        require(
            (1024..=1 << 30).contains(&self.max_bytes),
            "cache.max_bytes",
            "be between 1024 and 1073741824",
        )
    }
}
