//! Writes on the standing of an account: each begins and commits its own transaction.

use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::database::{Database, DbErr, Transaction};
use lyceum_chassis::http::IfMatch;
use lyceum_contracts::event::Event;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::user::AccountStatus;
use lyceum_outbox::Waker;
use sea_orm::{IntoActiveModel, Set};
use time::OffsetDateTime;

use crate::accounts::{admins, store};
use crate::audit::{self, Action, Record};
use crate::entity::user::{ActiveModel, Model, NO_PASSWORD};
use crate::links;
use crate::sessions::{self, EndReason};

/// What an account is called of which nothing personal is left.
const NOBODY: &str = "Deleted account";

/// Why the standing of an account was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StandingError {
    #[error("there is no such account")]
    NoSuchUser,
    /// The caller has seen an older version.
    #[error("the account has changed meanwhile")]
    Stale,
    /// Nobody could run the platform any more.
    #[error("no active admin would be left")]
    LastAdmin,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Shuts an account: nobody signs in, and who is signed in is out. Done before, it does nothing.
pub(crate) async fn disable_user(
    database: &Database,
    caller: &CurrentUser,
    id: UserId,
    now: OffsetDateTime,
) -> Result<Model, StandingError> {
    let transaction = database.begin_write().await?;
    let user = hold(&transaction, id).await?;
    if user.status == AccountStatus::Disabled {
        return Ok(user);
    }
    let mut row = user.clone().into_active_model();
    row.status = Set(AccountStatus::Disabled);
    let user = close(&transaction, &user, row, EndReason::Disabled, now).await?;
    record(&transaction, caller, id, Action::Disabled, now).await?;
    transaction.commit().await?;
    tracing::info!(event = "user.disabled", user.id = id.get(), "disabled");
    Ok(user)
}

/// Opens an account that was shut. Done before, it does nothing.
pub(crate) async fn enable_user(
    database: &Database,
    caller: &CurrentUser,
    id: UserId,
    now: OffsetDateTime,
) -> Result<Model, StandingError> {
    let transaction = database.begin_write().await?;
    let user = store::lock(&transaction, id)
        .await?
        .ok_or(StandingError::NoSuchUser)?;
    if user.status != AccountStatus::Disabled {
        return Ok(user);
    }
    // Somebody who was invited has still to accept.
    let status = match user.password() {
        Some(_) => AccountStatus::Active,
        None => AccountStatus::Invited,
    };
    let version = user.version + 1;
    let mut row = user.into_active_model();
    row.status = Set(status);
    row.version = Set(version);
    row.updated_at = Set(now);
    let user = store::update(&transaction, row).await?;
    record(&transaction, caller, id, Action::Enabled, now).await?;
    transaction.commit().await?;
    tracing::info!(event = "user.enabled", user.id = id.get(), "enabled");
    Ok(user)
}

/// Deletes an account that is still as the caller has seen it, and promises `user.deleted`. What
/// is personal in it is gone with the commit, and its address is free again.
pub(crate) async fn delete_user(
    database: &Database,
    outbox: &Waker,
    caller: &CurrentUser,
    id: UserId,
    seen: IfMatch,
    now: OffsetDateTime,
) -> Result<(), StandingError> {
    let transaction = database.begin_write().await?;
    let user = hold(&transaction, id).await?;
    if matches!(seen, IfMatch::Version(version) if version != user.version) {
        return Err(StandingError::Stale);
    }
    // No address that can be registered has a colon before the @.
    let address = format!("deleted:{id}@invalid");
    let mut row = user.clone().into_active_model();
    row.email = Set(address.clone());
    row.email_folded = Set(address);
    row.full_name = Set(NOBODY.to_owned());
    row.password_hash = Set(NO_PASSWORD.to_owned());
    row.status = Set(AccountStatus::Deleted);
    row.deleted_at = Set(Some(now));
    close(&transaction, &user, row, EndReason::Deleted, now).await?;
    sessions::forget_all_of(&transaction, id).await?;
    links::commands::forget_all_of(&transaction, id).await?;
    record(&transaction, caller, id, Action::Deleted, now).await?;
    lyceum_outbox::push(&transaction, &Event::UserDeleted { user_id: id }).await?;
    transaction.commit().await?;
    outbox.wake();
    tracing::info!(event = "user.deleted", user.id = id.get(), "deleted");
    Ok(())
}

/// The account, together with every admin; refused when without it there is none.
async fn hold(transaction: &Transaction, id: UserId) -> Result<Model, StandingError> {
    let admins = admins::hold(transaction, &[id]).await?;
    let user = store::lock(transaction, id)
        .await?
        .ok_or(StandingError::NoSuchUser)?;
    if admins.are_gone_without(&[id]) {
        return Err(StandingError::LastAdmin);
    }
    Ok(user)
}

/// Writes an account nobody may use from now on: its sessions end, its access tokens stop counting.
async fn close(
    transaction: &Transaction,
    user: &Model,
    mut row: ActiveModel,
    reason: EndReason,
    now: OffsetDateTime,
) -> Result<Model, DbErr> {
    row.version = Set(user.version + 1);
    row.token_version = Set(user.token_version + 1);
    row.updated_at = Set(now);
    sessions::commands::end_all_of(transaction, user.id, None, reason, now).await?;
    store::update(transaction, row).await
}

async fn record(
    transaction: &Transaction,
    caller: &CurrentUser,
    subject: UserId,
    action: Action,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let record = Record {
        actor: Some(caller.id),
        subject: Some(subject),
        action,
    };
    audit::record(transaction, record, now).await
}
