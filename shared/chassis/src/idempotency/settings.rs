//! The `idempotency` section of a service's settings.
//!
//! ```toml
//! [idempotency]
//! # An Idempotency-Key and the answer under it are kept this long, and a little longer.
//! keep_s = 86_400
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::settings::SettingsError;

/// How a service remembers keyed requests.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IdempotencySettings {
    /// How long a key and its answer are kept, in seconds: a minute to 30 days. Novu and Stripe
    /// keep theirs for a day.
    pub keep_s: u64,
}

impl IdempotencySettings {
    /// Refuses what cannot work; for `ServiceSettings::check`.
    ///
    /// # Errors
    /// Names the key.
    pub fn check(&self) -> Result<(), SettingsError> {
        const MINUTE: u64 = 60;
        // Answers hold personal data.
        const MONTH: u64 = 30 * 24 * 60 * MINUTE;
        if (MINUTE..=MONTH).contains(&self.keep_s) {
            Ok(())
        } else {
            let rule = format!("must be between {MINUTE} and {MONTH}");
            Err(SettingsError::refused("idempotency.keep_s", rule))
        }
    }

    pub(super) const fn keep(self) -> Duration {
        Duration::from_secs(self.keep_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_too_short_or_too_long_is_refused_by_name() {
        let check = |keep_s| IdempotencySettings { keep_s }.check();
        check(86_400).unwrap();
        for keep_s in [0, 59, 2_592_001, u64::MAX] {
            let refused = check(keep_s).unwrap_err().to_string();
            assert!(refused.contains("`idempotency.keep_s`"), "{refused}");
        }
    }
}
