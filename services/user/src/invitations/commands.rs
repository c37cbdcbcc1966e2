//! Accepting an invitation.

use lyceum_chassis::database::{Database, DbErr};
use lyceum_contracts::event::{Event, LinkPurpose};
use lyceum_contracts::user::AccountStatus;
use lyceum_outbox::Waker;
use sea_orm::{IntoActiveModel, Set};
use time::OffsetDateTime;

use super::requests::Acceptance;
use crate::accounts;
use crate::audit::{self, Action};
use crate::links;
use crate::links::commands::{LinkError, Redeemed};
use crate::password::commands::by_letter;
use crate::password::{HashError, Hasher};

/// Why an invitation was not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AcceptError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Gives an invited account its first password, and promises `user.registered`; from then on its
/// owner may sign in.
pub(super) async fn accept_invitation(
    database: &Database,
    hasher: &Hasher,
    outbox: &Waker,
    acceptance: Acceptance,
    now: OffsetDateTime,
) -> Result<(), AcceptError> {
    let (token, purpose) = (&acceptance.token, LinkPurpose::AcceptInvitation);
    links::commands::look(database, token, purpose, now).await?;
    let hash = hasher.hash(acceptance.password).await?;
    let transaction = database.begin_write().await?;
    let Redeemed { user, .. } = links::commands::redeem(&transaction, token, purpose, now).await?;
    let id = user.id;
    let version = user.version + 1;
    let mut row = user.into_active_model();
    row.password_hash = Set(hash);
    row.status = Set(AccountStatus::Active);
    if let Some(name) = acceptance.full_name {
        row.full_name = Set(name.into_inner());
    }
    row.version = Set(version);
    row.updated_at = Set(now);
    accounts::store::update(&transaction, row).await?;
    lyceum_outbox::push(&transaction, &Event::UserRegistered { user_id: id }).await?;
    audit::record(&transaction, by_letter(id, Action::PasswordReset), now).await?;
    transaction.commit().await?;
    outbox.wake();
    tracing::info!(
        event = "invitation.accepted",
        user.id = id.get(),
        "an invited person has chosen a password"
    );
    Ok(())
}
