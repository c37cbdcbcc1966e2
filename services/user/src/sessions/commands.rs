//! Signing in and going on: each write begins and commits its own transaction.

use lyceum_chassis::database::{Database, DbErr, Transaction};
use lyceum_contracts::ids::{SessionId, UserId};
use sea_orm::ConnectionTrait;
use time::OffsetDateTime;

use super::EndReason;
use super::domain::{Family, Policy, Presented, RefreshToken};
use super::ending::end_one;
pub(crate) use super::ending::{end_all_of, end_all_of_each};
use super::requests::Login;
use super::store;
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

/// A session just opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) session: Continued,
    /// Whether an older one had to end for it, whose access tokens are called in.
    pub(crate) crowded: bool,
}

/// A session that goes on, and the token that continues it.
#[derive(Debug)]
pub(crate) struct Continued {
    pub(crate) user: user::Model,
    pub(crate) session: SessionId,
    pub(crate) token: RefreshToken,
}

/// Opens a session for somebody who has just proved who they are.
///
/// The account is looked at once more and held: a login that overlaps with a change of the
/// password, or with the end of the account, would otherwise outlive it.
pub(crate) async fn open_session(
    database: &Database,
    policy: Policy,
    proved: user::Model,
    user_agent: Option<String>,
    now: OffsetDateTime,
) -> Result<Opened, LoginError> {
    let transaction = database.begin_write().await?;
    let user = accounts::store::lock(&transaction, proved.id).await?;
    let user = user
        .filter(|user| user.may_sign_in() && user.password_hash == proved.password_hash)
        .ok_or(LoginError::InvalidCredentials)?;
    let crowded = make_room(&transaction, policy, user.id, now).await?;
    let ends = now + policy.lifetime;
    let session = store::insert(&transaction, user.id, user_agent, now, ends).await?;
    let token = issue_token(&transaction, session.id, Family::NEW, now).await?;
    keep(&transaction, Action::Login, Some(user.id), user.id, now).await?;
    transaction.commit().await?;
    tracing::info!(
        event = "session.opened",
        user.id = user.id.get(),
        session.id = session.id.get(),
        "signed in"
    );
    let session = Continued {
        user,
        session: session.id,
        token,
    };
    Ok(Opened { session, crowded })
}

/// Ends the oldest sessions of an account that has as many as it may have; whether it had.
async fn make_room(
    transaction: &Transaction,
    policy: Policy,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<bool, DbErr> {
    let stay = policy.per_account.saturating_sub(1);
    let oldest = store::list_beyond(transaction, user_id, stay, now).await?;
    for session in &oldest {
        end_one(transaction, session, EndReason::Crowded, None, now).await?;
    }
    Ok(!oldest.is_empty())
}

/// Keeps it in the audit log.
pub(super) async fn keep(
    transaction: &Transaction,
    action: Action,
    actor: Option<UserId>,
    subject: UserId,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let record = Record {
        actor,
        subject: Some(subject),
        action,
    };
    audit::record(transaction, record, now).await
}

async fn issue_token(
    db: &impl ConnectionTrait,
    session_id: SessionId,
    family: Family,
    now: OffsetDateTime,
) -> Result<RefreshToken, DbErr> {
    let token = RefreshToken::generate();
    store::insert_token(db, session_id, family, token.digest(), now).await?;
    Ok(token)
}

/// Why a session does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefreshError {
    /// The token is unknown or replayed, or its session has ended or expired.
    #[error("the session has ended")]
    Ended,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Spends a token and gives its successor, with the account as it is now. What becomes of a token
/// that is spent already, [`Family::present`] decides.
pub(crate) async fn refresh_session(
    database: &Database,
    policy: Policy,
    presented: &RefreshToken,
    now: OffsetDateTime,
) -> Result<Continued, RefreshError> {
    let digest = presented.digest();
    let transaction = database.begin_write().await?;
    let session = store::lock_by_token(&transaction, &digest).await?;
    let session = session
        .filter(|session| session.ended_at.is_none() && session.expires_at > now)
        .ok_or(RefreshError::Ended)?;
    // Read under the lock: who came first has spent it by now.
    let token = store::find_token(&transaction, &digest).await?;
    let token = token.ok_or(RefreshError::Ended)?;
    let user = accounts::store::find(&transaction, session.user_id).await?;
    let user = user
        .filter(user::Model::may_sign_in)
        .ok_or(RefreshError::Ended)?;
    let family = match session
        .family()
        .present(token.held(), now, policy.replay_grace)
    {
        Presented::Advanced(family) => {
            store::spend_token(&transaction, token.id, now).await?;
            family
        }
        Presented::Repeated(family) => {
            tracing::info!(
                event = "session.answer_repeated",
                session.id = session.id.get(),
                "a spent refresh token came back soon and got another successor"
            );
            family
        }
        Presented::Replayed => {
            let reason = EndReason::Replayed;
            end_one(&transaction, &session, reason, None, now).await?;
            transaction.commit().await?;
            tracing::warn!(
                event = "session.token_replayed",
                user.id = user.id.get(),
                session.id = session.id.get(),
                "a refresh token came back that two hands hold; the session has ended"
            );
            return Err(RefreshError::Ended);
        }
    };
    store::refreshed(&transaction, session.id, family, now).await?;
    let token = issue_token(&transaction, session.id, family, now).await?;
    transaction.commit().await?;
    Ok(Continued {
        user,
        session: session.id,
        token,
    })
}
