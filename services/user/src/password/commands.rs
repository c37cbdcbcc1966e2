//! Changing a password, and setting it anew: each begins and commits its own transaction, and none
//! holds it while a password is hashed.

use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::database::{Database, DbErr};
use lyceum_contracts::event::LinkPurpose;
use lyceum_contracts::ids::{SessionId, UserId};
use lyceum_contracts::user::AccountStatus;
use sea_orm::{ConnectionTrait, IntoActiveModel, Set};
use secrecy::SecretString;
use time::OffsetDateTime;

use super::requests::{PasswordChange, PasswordReset};
use super::{HashError, Hasher};
use crate::accounts::{self, Email};
use crate::audit::{self, Action, Record};
use crate::entity::user;
use crate::links;
use crate::links::commands::{LinkError, Redeemed, Request};
use crate::sessions::{self, EndReason};

/// Why what somebody signed in asked for was not done in their name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReauthenticationError {
    /// The account is gone, or shut.
    #[error("the account may not be used")]
    NoAccount,
    #[error("the password is wrong")]
    WrongPassword,
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// The account of somebody who has just proved that they know its password.
///
/// What follows from that is written by [`Proven::lock`] alone.
#[derive(Debug)]
pub(crate) struct Proven(user::Model);

/// Asks somebody who is signed in for the password once more (ASVS 5 §7.5.1): whoever finds an
/// open session must not be able to keep the account.
pub(crate) async fn reauthenticate(
    database: &Database,
    hasher: &Hasher,
    user: UserId,
    password: SecretString,
    now: OffsetDateTime,
) -> Result<Proven, ReauthenticationError> {
    let user = accounts::store::find(database, user).await?;
    let user = user
        .filter(user::Model::may_sign_in)
        .ok_or(ReauthenticationError::NoAccount)?;
    let stored = user.password().map(str::to_owned);
    if hasher.verify(password, stored).await? {
        return Ok(Proven(user));
    }
    let failure = by_themself(user.id, Action::LoginFailed);
    audit::record(database, failure, now).await?;
    tracing::warn!(
        event = "password.wrong",
        user.id = user.id.get(),
        "a signed-in person gave a wrong password"
    );
    Err(ReauthenticationError::WrongPassword)
}

impl Proven {
    /// The account as it is now, held against other writers, if the password is still the one that
    /// was proved: of two who change it at once, the second no longer knows it.
    pub(crate) async fn lock(
        &self,
        transaction: &impl ConnectionTrait,
    ) -> Result<user::Model, ReauthenticationError> {
        let Self(seen) = self;
        let user = accounts::store::lock(transaction, seen.id).await?;
        let user = user
            .filter(user::Model::may_sign_in)
            .ok_or(ReauthenticationError::NoAccount)?;
        if user.password_hash == seen.password_hash {
            Ok(user)
        } else {
            Err(ReauthenticationError::WrongPassword)
        }
    }
}

/// Changes the password of somebody who knows it, and ends their sessions but this one.
pub(crate) async fn change_password(
    database: &Database,
    hasher: &Hasher,
    caller: &CurrentUser,
    change: PasswordChange,
    now: OffsetDateTime,
) -> Result<(), ReauthenticationError> {
    let proven = reauthenticate(database, hasher, caller.id, change.current, now).await?;
    let hash = hasher.hash(change.new).await?;
    let transaction = database.begin_write().await?;
    let user = proven.lock(&transaction).await?;
    let reason = EndReason::PasswordChanged;
    let kept = SessionId::try_from(caller.session_id).ok();
    sessions::commands::end_all_of(&transaction, user.id, kept, reason, now).await?;
    // Letters that set it anew, or take the account to another address.
    links::commands::revoke(&transaction, user.id, now).await?;
    store_hash(&transaction, user, hash).await?;
    let changed = by_themself(caller.id, Action::PasswordChanged);
    audit::record(&transaction, changed, now).await?;
    transaction.commit().await?;
    tracing::info!(
        event = "password.changed",
        user.id = caller.id.get(),
        "password changed"
    );
    Ok(())
}

/// Promises a letter to the owner of the address, if there is one who may have it.
///
/// An account that awaits its first password is sent its invitation again: the letter that brought
/// it may be weeks old. Whatever becomes of the request, it takes its turn to write, so that
/// whoever waits for others waits alike.
pub(crate) async fn forgot_password(
    database: &Database,
    email: &Email,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let transaction = database.begin_write().await?;
    let Some(found) = accounts::store::find_by_email(&transaction, email).await? else {
        return Ok(());
    };
    let Some(user) = accounts::store::lock(&transaction, found.id).await? else {
        return Ok(());
    };
    let purpose = match user.status {
        AccountStatus::Active => LinkPurpose::ResetPassword,
        AccountStatus::Invited => LinkPurpose::AcceptInvitation,
        AccountStatus::Disabled | AccountStatus::Deleted => return Ok(()),
    };
    let request = links::commands::request(&transaction, user.id, purpose, None, now).await?;
    transaction.commit().await?;
    tracing::info!(
        event = "password.forgotten",
        user.id = user.id.get(),
        promised = matches!(request, Request::Promised),
        "a link was asked for"
    );
    Ok(())
}

/// Why a password was not set anew.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResetError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Sets the password of whoever followed the link, and ends all their sessions: somebody else may
/// have opened them.
pub(crate) async fn reset_password(
    database: &Database,
    hasher: &Hasher,
    reset: PasswordReset,
    now: OffsetDateTime,
) -> Result<user::Model, ResetError> {
    let (token, purpose) = (&reset.token, LinkPurpose::ResetPassword);
    links::commands::look(database, token, purpose, now).await?;
    let hash = hasher.hash(reset.new).await?;
    let transaction = database.begin_write().await?;
    let Redeemed { user, .. } = links::commands::redeem(&transaction, token, purpose, now).await?;
    let id = user.id;
    let reason = EndReason::PasswordChanged;
    sessions::commands::end_all_of(&transaction, id, None, reason, now).await?;
    let user = store_hash(&transaction, user, hash).await?;
    let reset = by_letter(id, Action::PasswordReset);
    audit::record(&transaction, reset, now).await?;
    transaction.commit().await?;
    tracing::info!(
        event = "password.reset",
        user.id = id.get(),
        "password set anew by mail"
    );
    Ok(user)
}

/// What somebody who is signed in did to their own account.
fn by_themself(user: UserId, action: Action) -> Record {
    Record {
        actor: Some(user),
        subject: Some(user),
        action,
    }
}

/// What the reader of a letter did to the account it was about.
pub(crate) fn by_letter(user: UserId, action: Action) -> Record {
    Record {
        actor: None,
        subject: Some(user),
        action,
    }
}

/// Keeps the hash. The version stays: no view shows a password.
async fn store_hash(
    transaction: &impl ConnectionTrait,
    user: user::Model,
    hash: String,
) -> Result<user::Model, DbErr> {
    let mut row = user.into_active_model();
    row.password_hash = Set(hash);
    accounts::store::update(transaction, row).await
}
