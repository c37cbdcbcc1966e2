//! The account that makes the first admin: somebody has to be one before anybody can become one.

use std::time::Duration;

use lyceum_chassis::clock;
use lyceum_chassis::idempotency::Keyed;
use lyceum_chassis::settings::SettingsError;
use lyceum_contracts::role::Role;

use super::commands::{NewAccount, RegisterError, register_user};
use super::domain::{Email, FullName};
use super::store;
use crate::password::{HashError, NewPassword};
use crate::settings::AdminSettings;
use crate::state::State;

/// How soon after somebody has migrated the admin is there.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The longest wait after a failure: each try costs a password hash.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The section `admin`, parsed.
#[derive(Debug, Clone)]
pub(crate) struct FirstAdmin {
    email: Email,
    password: NewPassword,
    full_name: FullName,
}

impl FirstAdmin {
    /// Reads the settings; an empty address means there is none to make.
    ///
    /// # Errors
    /// Names the key whose value no account can have.
    pub(crate) fn parse(settings: &AdminSettings) -> Result<Option<Self>, SettingsError> {
        if settings.email.is_empty() {
            return Ok(None);
        }
        let refuse =
            |key: &str, reason: String| SettingsError::refused(format!("admin.{key}"), reason);
        Ok(Some(Self {
            email: Email::parse(&settings.email)
                .map_err(|error| refuse("email", error.to_string()))?,
            password: NewPassword::parse(settings.password.expose().to_owned())
                .map_err(|error| refuse("password", error.to_string()))?,
            full_name: FullName::parse(settings.full_name.clone())
                .map_err(|error| refuse("full_name", error.to_string()))?,
        }))
    }
}

/// Why the account could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FirstAdminError {
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Register(#[from] RegisterError),
}

/// Makes the account unless its address has one; two replicas that start together make one.
///
/// An account somebody else opened with that address is left as it is: being first to register
/// must not make anybody an admin.
pub(crate) async fn ensure(state: &State, admin: FirstAdmin) -> Result<(), FirstAdminError> {
    // Only to spare a start the hash; the constraint decides.
    let existing = store::find_by_email(&state.database, &admin.email)
        .await
        .map_err(RegisterError::from)?;
    if let Some(account) = existing {
        if account.role != Role::Admin {
            tracing::warn!(
                event = "admin.not_an_admin",
                user.id = account.id.get(),
                "the account of admin.email has another role"
            );
        }
        return Ok(());
    }
    let account = NewAccount {
        email: admin.email,
        full_name: admin.full_name,
        password_hash: state.hasher.hash(admin.password).await?,
        role: Role::Admin,
    };
    let (keyed, now) = (Keyed::none(), clock::now());
    match register_user(&state.database, &state.outbox, keyed, account, now).await {
        Ok(_) | Err(RegisterError::EmailTaken) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes the account as soon as there are tables for it.
pub(crate) async fn ensure_later(state: State, admin: FirstAdmin) {
    let mut tries = Tries::default();
    loop {
        tokio::time::sleep(tries.pause()).await;
        if let Err(reason) = state.database.ready().await {
            tracing::debug!(%reason, "no first admin yet");
            continue;
        }
        let Err(reason) = ensure(&state, admin.clone()).await else {
            return;
        };
        let reason = reason.to_string();
        if tries.failed(&reason) {
            tracing::warn!(event = "admin.not_made", reason, "it is tried again");
        }
    }
}

/// Failures so far, so that what goes on failing costs and says less and less.
#[derive(Debug, Default)]
struct Tries {
    failed: u32,
    told: String,
}

impl Tries {
    /// How long to wait before the next one.
    fn pause(&self) -> Duration {
        let doubled = LOOK_EVERY.saturating_mul(2_u32.saturating_pow(self.failed));
        doubled.min(LONGEST_PAUSE)
    }

    /// Counts one more; whether its reason is news.
    fn failed(&mut self, reason: &str) -> bool {
        self.failed = self.failed.saturating_add(1);
        let news = self.told != reason;
        if news {
            reason.clone_into(&mut self.told);
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_failing_is_tried_ever_more_rarely_and_told_when_its_reason_changes() {
        let mut tries = Tries::default();
        let mut pauses = vec![tries.pause().as_secs()];
        for (reason, news) in [
            ("locked", true),
            ("locked", false),
            ("full", true),
            ("full", false),
            ("locked", true),
            ("locked", false),
        ] {
            assert_eq!(tries.failed(reason), news, "{reason}");
            pauses.push(tries.pause().as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        tries.failed = u32::MAX;
        assert!(!tries.failed("locked"));
        assert_eq!(tries.pause(), LONGEST_PAUSE);
    }
}
