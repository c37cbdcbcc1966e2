//! How often people may do what costs a password hash or lets somebody guess.
//!
//! By address first, before anything of a request is read. A school sends a whole class through
//! one address, so those limits leave room for thirty people at once; what stops the guessing of a
//! password is the limit by account, which counts failures from anywhere.

use lyceum_chassis::limits::{Limit, LimitSettings};
use lyceum_chassis::settings::SettingsError;
use serde::{Deserialize, Serialize};

/// The section `limits`.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsSettings {
    /// Logins from one address, right or wrong.
    pub login_per_address: LimitSettings,
    /// Logins to one account since its last right one, from anywhere.
    pub login_per_account: LimitSettings,
    /// Registrations from one address.
    pub register_per_address: LimitSettings,
    /// Letters asked for from one address; for one address of mail there is a rule of its own.
    pub forgot_per_address: LimitSettings,
    /// Mailed links followed from one address.
    pub link_per_address: LimitSettings,
}

impl LimitsSettings {
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        for (name, limit) in [
            ("limits.login_per_address", self.login_per_address),
            ("limits.login_per_account", self.login_per_account),
            ("limits.register_per_address", self.register_per_address),
            ("limits.forgot_per_address", self.forgot_per_address),
            ("limits.link_per_address", self.link_per_address),
        ] {
            limit.check(name)?;
        }
        Ok(())
    }
}

/// The limits at work; clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) login_per_address: Limit,
    /// By the address of mail, whether there is such an account or not; and by the id of somebody
    /// signed in who is asked for the password once more.
    pub(crate) login_per_account: Limit,
    pub(crate) register_per_address: Limit,
    pub(crate) forgot_per_address: Limit,
    pub(crate) link_per_address: Limit,
}

impl Limits {
    pub(crate) fn new(settings: LimitsSettings) -> Self {
        Self {
            login_per_address: Limit::new("login", settings.login_per_address),
            login_per_account: Limit::new("login-account", settings.login_per_account),
            register_per_address: Limit::new("register", settings.register_per_address),
            forgot_per_address: Limit::new("forgot-password", settings.forgot_per_address),
            link_per_address: Limit::new("mailed-link", settings.link_per_address),
        }
    }
}
