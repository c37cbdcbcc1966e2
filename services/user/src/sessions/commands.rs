//! Signing in, going on and signing out: each write begins and commits its own transaction.

use std::time::Duration;

use lyceum_chassis::database::{Database, DbErr, Transaction};
use lyceum_contracts::ids::{SessionId, UserId};
use sea_orm::ConnectionTrait;
use time::OffsetDateTime;

use super::EndReason;
use super::domain::{Login, RefreshToken};
use super::store::{self, Ending, Spending};
use crate::accounts;
use crate::audit::{self, Action, Record};
use crate::entity::user;
use crate::password::{HashError, Hasher};

/// Why somebody was not signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    /// Address and password do not belong together; which of them is wrong, nobody is told.
    #[error("the credentials are wrong")]
    InvalidCredentials,
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// The account these credentials belong to, found in the same time whether there is one or not.
pub(crate) async fn authenticate(
    database: &Database,
    hasher: &Hasher,
    login: Login,
    now: OffsetDateTime,
) -> Result<user::Model, LoginError> {
    let account = match &login.email {
        Some(email) => accounts::store::find_by_email(database, email).await?,
        None => None,
    };
    // Without a password that could be right, as without an account, the answer takes as long.
    let stored = account
        .as_ref()
        .filter(|account| account.may_sign_in())
        .and_then(|account| account.password().map(str::to_owned));
    let matches = hasher.verify(login.password, stored).await?;
    match account {
        Some(account) if matches => Ok(account),
        account => {
            let subject = account.map(|account| account.id);
            let failure = Record {
                actor: None,
                subject,
                action: Action::LoginFailed,
            };
            audit::record(database, failure, now).await?;
            tracing::warn!(
                event = "session.login_failed",
                user.id = subject.map(UserId::get),
                "wrong credentials"
            );
            Err(LoginError::InvalidCredentials)
        }
    }
}

/// Opens a session of `lifetime` and gives its id and first token.
pub(crate) async fn open_session(
    database: &Database,
    user: &user::Model,
    lifetime: Duration,
    now: OffsetDateTime,
) -> Result<(SessionId, RefreshToken), DbErr> {
    let transaction = database.begin_write().await?;
    store::delete_expired(&transaction, user.id, now).await?;
    let session = store::insert(&transaction, user.id, now, now + lifetime).await?;
    let token = issue_token(&transaction, session.id, now).await?;
    let login = Record {
        actor: Some(user.id),
        subject: Some(user.id),
        action: Action::Login,
    };
    audit::record(&transaction, login, now).await?;
    transaction.commit().await?;
    tracing::info!(
        event = "session.opened",
        user.id = user.id.get(),
        session.id = session.id.get(),
        "signed in"
    );
    Ok((session.id, token))
}

async fn issue_token(
    db: &impl ConnectionTrait,
    session_id: SessionId,
    now: OffsetDateTime,
) -> Result<RefreshToken, DbErr> {
    let token = RefreshToken::generate();
    store::insert_token(db, session_id, token.digest(), now).await?;
    Ok(token)
}

/// Why a session does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefreshError {
    /// The token is unknown or spent, or its session has ended or expired.
    #[error("the session has ended")]
    Ended,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Spends a token and gives its successor, with the account as it is now and the session's id.
///
/// A token that is spent already is in two hands. Nobody can tell which of them is its owner's,
/// so the session ends for both (RFC 9700 §4.14.2).
pub(crate) async fn refresh_session(
    database: &Database,
    presented: &RefreshToken,
    now: OffsetDateTime,
) -> Result<(user::Model, SessionId, RefreshToken), RefreshError> {
    let transaction = database.begin_write().await?;
    let token = store::find_token(&transaction, &presented.digest()).await?;
    let token = token.ok_or(RefreshError::Ended)?;
    if store::spend_token(&transaction, token.id, now).await? == Spending::Already {
        let ending = store::end(&transaction, token.session_id, EndReason::Replayed, now).await?;
        transaction.commit().await?;
        if ending == Ending::Now {
            tracing::warn!(
                event = "session.token_replayed",
                session.id = token.session_id.get(),
                "a spent refresh token came back; the session has ended"
            );
        }
        return Err(RefreshError::Ended);
    }
    let session = store::find(&transaction, token.session_id).await?;
    let session = session
        .filter(|session| session.ended_at.is_none() && session.expires_at > now)
        .ok_or(RefreshError::Ended)?;
    let user = accounts::store::find(&transaction, session.user_id).await?;
    let user = user
        .filter(user::Model::may_sign_in)
        .ok_or(RefreshError::Ended)?;
    let successor = issue_token(&transaction, session.id, now).await?;
    transaction.commit().await?;
    Ok((user, session.id, successor))
}

/// Ends the session a token belongs to, spent or not. What is unknown or over stays so.
pub(crate) async fn end_session(
    database: &Database,
    presented: &RefreshToken,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let Some(token) = store::find_token(database, &presented.digest()).await? else {
        return Ok(());
    };
    if store::end(database, token.session_id, EndReason::Logout, now).await? == Ending::Now {
        tracing::info!(
            event = "session.ended",
            session.id = token.session_id.get(),
            "signed out"
        );
    }
    Ok(())
}

/// Ends a person's live sessions, but for `except`, within the caller's transaction; how many they
/// were. None of their refresh tokens counts once that is committed.
pub(crate) async fn end_all_of(
    transaction: &Transaction,
    user_id: UserId,
    except: Option<SessionId>,
    reason: EndReason,
    now: OffsetDateTime,
) -> Result<u64, DbErr> {
    store::end_all_of(transaction, user_id, except, reason, now).await
}

/// Ends all of a person's sessions.
pub(crate) async fn end_everywhere(
    database: &Database,
    user_id: UserId,
    reason: EndReason,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let transaction = database.begin_write().await?;
    let count = end_all_of(&transaction, user_id, None, reason, now).await?;
    transaction.commit().await?;
    tracing::info!(
        event = "session.ended_everywhere",
        user.id = user_id.get(),
        count,
        reason = reason.as_str(),
        "signed out everywhere"
    );
    Ok(())
}
