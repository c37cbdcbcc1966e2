//! A section of settings for each limit.
//!
//! ```toml
//! [limits.login_per_address]
//! quota = 30
//! window_s = 60
//! ```

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Policy;
use crate::settings::SettingsError;

/// The longest window, a day: what is remembered is lost with the process anyway.
const MAX_WINDOW_S: u64 = 86_400;
/// The largest quota: more than any process answers in a day.
const MAX_QUOTA: u32 = 1_000_000_000;

/// How often something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// So many at once, and so many within the window from then on.
    pub quota: u32,
    /// Seconds in which the whole quota comes back, one after the other.
    pub window_s: u64,
}

impl LimitSettings {
    /// Refuses what cannot work, naming the keys below `section`; for `ServiceSettings::check`.
    ///
    /// # Errors
    /// Names the key.
    pub fn check(&self, section: &str) -> Result<(), SettingsError> {
        let refuse = |key: &str, most: u64| {
            let reason = format!("must be between 1 and {most}");
            Err(SettingsError::refused(format!("{section}.{key}"), reason))
        };
        if !(1..=MAX_QUOTA).contains(&self.quota) {
            return refuse("quota", MAX_QUOTA.into());
        }
        if !(1..=MAX_WINDOW_S).contains(&self.window_s) {
            return refuse("window_s", MAX_WINDOW_S);
        }
        Ok(())
    }

    pub(super) fn policy(self, name: &'static str) -> Policy {
        Policy {
            name,
            quota: NonZeroU32::new(self.quota).unwrap_or(NonZeroU32::MIN),
            window: Duration::from_secs(self.window_s),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_lets_nothing_through_or_never_ends_is_refused_by_name() {
        let check = |quota, window_s| LimitSettings { quota, window_s }.check("limits.login");
        check(1, 1).unwrap();
        check(MAX_QUOTA, MAX_WINDOW_S).unwrap();
        for (quota, window_s, key) in [
            (0, 60, "`limits.login.quota`"),
            (MAX_QUOTA + 1, 60, "`limits.login.quota`"),
            (3, 0, "`limits.login.window_s`"),
            (3, MAX_WINDOW_S + 1, "`limits.login.window_s`"),
        ] {
            let refused = check(quota, window_s).unwrap_err().to_string();
            assert!(refused.contains(key), "{refused}");
        }
    }
}
