//! The account that makes the first admin: somebody has to be one before anybody can become one.

use std::time::Duration;

use lyceum_chassis::clock;
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
    match register_user(&state.database, &state.outbox, account, clock::now()).await {
        Ok(_) | Err(RegisterError::EmailTaken) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes the account as soon as there are tables for it.
pub(crate) async fn ensure_later(state: State, admin: FirstAdmin) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if let Err(reason) = state.database.ready().await {
            tracing::debug!(%reason, "no first admin yet");
            continue;
        }
        match ensure(&state, admin.clone()).await {
            Ok(()) => return,
            Err(reason) => {
                tracing::warn!(event = "admin.not_made", %reason, "it is tried again");
            }
        }
    }
}
