//! Asking for links, writing their letters, following them.
//!
//! What asks for a link and what follows one owns the transaction; [`write_letter`] alone has one
//! of its own.

use std::time::Duration;

use lyceum_chassis::database::{Database, DbErr};
use lyceum_contracts::event::{Event, LinkPurpose};
use lyceum_contracts::ids::{LinkId, UserId};
use lyceum_contracts::mailed_link::MailedLinkToken;
use sea_orm::ConnectionTrait;
use time::OffsetDateTime;

use super::domain::{self, Token};
use super::store::{self, Spending};
use crate::accounts::{self, Email};
use crate::entity::{mailed_link, user};

/// Whether a letter was promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// It follows.
    Promised,
    /// The account has asked for as many within the hour as it may.
    TooMany {
        /// Until the next one may be asked for.
        retry_after: Duration,
    },
}

/// Promises a letter with a link to `user`, unless as many were asked for within the hour as may.
///
/// The caller holds the account's row, so that two at once are counted one after the other, and
/// wakes the outbox after the commit. A link to confirm an address, which needs `address`,
/// takes the place of every link before it.
pub(crate) async fn request(
    transaction: &impl ConnectionTrait,
    user: UserId,
    purpose: LinkPurpose,
    address: Option<&Email>,
    now: OffsetDateTime,
) -> Result<Request, DbErr> {
    let allowance = u64::from(domain::allowance(purpose));
    let asked = store::newest(transaction, user, purpose, allowance).await?;
    if let Some(retry_after) = domain::wait(purpose, &asked, now) {
        return Ok(Request::TooMany { retry_after });
    }
    match purpose {
        LinkPurpose::ResetPassword => {
            promise(transaction, &[user], purpose, address, now).await?;
        }
        LinkPurpose::ConfirmEmail => {
            revoke(transaction, user, now).await?;
            promise(transaction, &[user], purpose, address, now).await?;
        }
        LinkPurpose::AcceptInvitation => invite(transaction, &[user], now).await?,
    }
    Ok(Request::Promised)
}

/// Promises each of `users` a letter with an invitation, in one statement for the links and one
/// for the events. At most a thousand at once; the caller wakes the outbox after the commit.
pub(crate) async fn invite(
    transaction: &impl ConnectionTrait,
    users: &[UserId],
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    promise(transaction, users, LinkPurpose::AcceptInvitation, None, now).await
}

async fn promise(
    transaction: &impl ConnectionTrait,
    users: &[UserId],
    purpose: LinkPurpose,
    address: Option<&Email>,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    if users.is_empty() {
        return Ok(());
    }
    let links = store::insert(transaction, users, purpose, address, now).await?;
    let event = |(link_id, user_id)| Event::MailedLinkRequested {
        user_id,
        link_id,
        purpose,
    };
    let events: Vec<_> = links.into_iter().map(event).collect();
    lyceum_outbox::push_all(transaction, &events).await
}

/// Why a link does nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// It was never made, is too old, was followed, or its account is no longer what it was. Nobody
    /// is told which.
    #[error("the link no longer counts")]
    Spent,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// A link that has just been spent.
#[derive(Debug)]
pub(crate) struct Redeemed {
    /// Whose mail it came by, held against other writers until the transaction ends.
    pub(crate) user: user::Model,
    /// The address it confirms, as typed.
    pub(crate) address: Option<String>,
}

/// Whether the token would open anything now: spares whoever sends a dead one the hash of a
/// password. [`redeem`] decides.
pub(crate) async fn look(
    db: &impl ConnectionTrait,
    token: &Token,
    purpose: LinkPurpose,
    now: OffsetDateTime,
) -> Result<(), LinkError> {
    find_unspent(db, token, purpose, now).await.map(drop)
}

/// Spends the link a token belongs to, and with it every other link of the person.
pub(crate) async fn redeem(
    transaction: &impl ConnectionTrait,
    token: &Token,
    purpose: LinkPurpose,
    now: OffsetDateTime,
) -> Result<Redeemed, LinkError> {
    let link = find_unspent(transaction, token, purpose, now).await?;
    let user = accounts::store::lock(transaction, link.user_id).await?;
    let user = user
        .filter(|user| domain::counts_for(purpose, user.status))
        .ok_or(LinkError::Spent)?;
    if store::spend(transaction, link.id, now).await? == Spending::Already {
        return Err(LinkError::Spent);
    }
    revoke(transaction, user.id, now).await?;
    Ok(Redeemed {
        user,
        address: link.address,
    })
}

async fn find_unspent(
    db: &impl ConnectionTrait,
    token: &Token,
    purpose: LinkPurpose,
    now: OffsetDateTime,
) -> Result<mailed_link::Model, LinkError> {
    let token = store::find_token(db, &token.digest()).await?;
    let token = token
        .filter(|token| token.expires_at > now)
        .ok_or(LinkError::Spent)?;
    let link = store::find(db, token.link_id).await?;
    link.filter(|link| link.purpose == purpose && link.spent_at.is_none())
        .ok_or(LinkError::Spent)
}

/// Makes every link that was mailed to the person so far count no more: who has just proved to be
/// the owner wants nothing of what somebody may have asked for in their name.
pub(crate) async fn revoke(
    transaction: &impl ConnectionTrait,
    user: UserId,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    store::spend_all(transaction, user, now).await
}

/// Why there is no token for a letter.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LetterError {
    #[error("there is no such link")]
    NoSuchLink,
    /// It was followed or replaced, is too old for a letter, or its account is no longer what it
    /// was: no letter is to be written.
    #[error("the link no longer counts")]
    Spent,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Forgets every link of a person, with the addresses in them. Within the caller's transaction.
pub(crate) async fn forget_all_of(
    transaction: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<(), DbErr> {
    store::delete_all_of(transaction, user_id).await
}

/// Makes a token for a letter that is being written, and says what the letter needs to know.
///
/// Each letter has a token of its own, and any of them spends the link: a mail sent twice works
/// from either copy.
pub(crate) async fn write_letter(
    database: &Database,
    id: LinkId,
    now: OffsetDateTime,
) -> Result<MailedLinkToken, LetterError> {
    let transaction = database.begin_write().await?;
    let link = store::find(&transaction, id.get()).await?;
    let link = link.ok_or(LetterError::NoSuchLink)?;
    let latest = link.created_at + domain::latest_letter(link.purpose);
    let fresh = link.spent_at.is_none() && now < latest;
    let user = accounts::store::find(&transaction, link.user_id).await?;
    let user = user
        .filter(|user| fresh && domain::counts_for(link.purpose, user.status))
        .ok_or(LetterError::Spent)?;
    let token = Token::generate();
    let expires_at = now + domain::lifetime(link.purpose);
    store::delete_expired_tokens(&transaction, link.id, now).await?;
    store::insert_token(&transaction, link.id, token.digest(), expires_at).await?;
    transaction.commit().await?;
    tracing::info!(
        event = "mailed_link.token_made",
        user.id = user.id.get(),
        link.id = link.id,
        purpose = link.purpose.as_str(),
        "a letter is being written"
    );
    Ok(MailedLinkToken {
        to: link.address.unwrap_or(user.email),
        full_name: user.full_name,
        purpose: link.purpose,
        token: token.expose().to_owned(),
        expires_at,
    })
}
