//! Asking for another address, and confirming it: each begins and commits its own transaction.

use std::time::Duration;

use lyceum_chassis::database::{Database, DbErr};
use lyceum_contracts::event::{Event, LinkPurpose};
use lyceum_contracts::ids::UserId;
use lyceum_outbox::Waker;
use sea_orm::{IntoActiveModel, Set};
use time::OffsetDateTime;

use super::requests::EmailChange;
use crate::accounts::{self, Email};
use crate::audit::{self, Action};
use crate::links;
use crate::links::Token;
use crate::links::commands::{LinkError, Redeemed, Request};
use crate::password::Hasher;
use crate::password::commands::{ReauthenticationError, by_letter, reauthenticate};

/// Why no letter is sent to the new address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeEmailError {
    #[error(transparent)]
    Reauthentication(#[from] ReauthenticationError),
    /// The account has asked for enough letters of late.
    #[error("too many addresses within the hour")]
    TooMany {
        /// Until the next one may be asked for.
        retry_after: Duration,
    },
}

impl From<DbErr> for ChangeEmailError {
    fn from(error: DbErr) -> Self {
        ReauthenticationError::from(error).into()
    }
}

/// Promises a letter to the new address. Whether somebody has it, nobody is told before its
/// mailbox has said yes: the letter goes there either way.
pub(crate) async fn request_change(
    database: &Database,
    hasher: &Hasher,
    outbox: &Waker,
    caller: UserId,
    change: EmailChange,
    now: OffsetDateTime,
) -> Result<(), ChangeEmailError> {
    let proven = reauthenticate(database, hasher, caller, change.password, now).await?;
    let transaction = database.begin_write().await?;
    let user = proven.lock(&transaction).await?;
    let (purpose, address) = (LinkPurpose::ConfirmEmail, Some(&change.email));
    match links::commands::request(&transaction, user.id, purpose, address, now).await? {
        Request::Promised => {}
        Request::TooMany { retry_after } => return Err(ChangeEmailError::TooMany { retry_after }),
    }
    transaction.commit().await?;
    outbox.wake();
    tracing::info!(
        event = "email.change_requested",
        user.id = user.id.get(),
        "a letter goes to the new address"
    );
    Ok(())
}

/// Why an address was not confirmed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfirmEmailError {
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Somebody has the address by now.
    #[error("the address has an account")]
    EmailTaken,
}

impl From<DbErr> for ConfirmEmailError {
    fn from(error: DbErr) -> Self {
        LinkError::from(error).into()
    }
}

/// Gives the account the address its link was mailed to; the unique index decides whether it is
/// free. A refusal leaves the link as it was.
///
/// The sessions go on: what they were opened with, the password, is the same (ASVS 5 §7.4.3 speaks
/// of authentication factors), and who asked for the change has proved to know it. Letters that
/// went to the old address open nothing any more.
pub(crate) async fn confirm_change(
    database: &Database,
    outbox: &Waker,
    token: &Token,
    now: OffsetDateTime,
) -> Result<(), ConfirmEmailError> {
    let transaction = database.begin_write().await?;
    let purpose = LinkPurpose::ConfirmEmail;
    let Redeemed { user, address } =
        links::commands::redeem(&transaction, token, purpose, now).await?;
    // A rule may have become stricter since the address was written.
    let email = address.and_then(|address| Email::parse(&address).ok());
    let email = email.ok_or(LinkError::Spent)?;
    let id = user.id;
    let version = user.version + 1;
    let mut row = user.into_active_model();
    row.email = Set(email.typed().to_owned());
    row.email_folded = Set(email.folded().to_owned());
    row.version = Set(version);
    row.updated_at = Set(now);
    match accounts::store::update(&transaction, row).await {
        Ok(_) => {}
        Err(error) if accounts::commands::is_email_taken(&error) => {
            return Err(ConfirmEmailError::EmailTaken);
        }
        Err(error) => return Err(error.into()),
    }
    lyceum_outbox::push(&transaction, &Event::UserUpdated { user_id: id }).await?;
    audit::record(&transaction, by_letter(id, Action::EmailChanged), now).await?;
    transaction.commit().await?;
    outbox.wake();
    tracing::info!(
        event = "email.changed",
        user.id = id.get(),
        "address confirmed"
    );
    Ok(())
}
