//! How sessions end before their time, and why.

use std::fmt;
use std::str::FromStr;

use lyceum_chassis::database::{Database, DbErr, Transaction};
use lyceum_contracts::ids::{SessionId, UserId};
use sea_orm::ConnectionTrait;
use time::OffsetDateTime;

use super::commands::keep;
use super::domain::RefreshToken;
use super::store::{self, Ending};
use crate::audit::Action;
use crate::entity::session;
use crate::keys::revoke;

/// Why a session was ended; kept beside it for as long as the session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sea_orm::DeriveValueType)]
#[sea_orm(value_type = "String", column_type = "Text")]
pub(crate) enum EndReason {
    /// Its owner signed out.
    Logout,
    /// Its owner ended it from another session.
    Owner,
    /// An admin ended it.
    Admin,
    /// A refresh token came back that nobody may use any more.
    Replayed,
    /// The account had too many, and this was the oldest.
    Crowded,
    /// The password was changed or set anew.
    PasswordChanged,
    /// The account was disabled.
    Disabled,
    /// The account was deleted.
    Deleted,
}

/// The text is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no reason a session ends for")]
pub(crate) struct UnknownReason;

impl EndReason {
    const ALL: [Self; 8] = [
        Self::Logout,
        Self::Owner,
        Self::Admin,
        Self::Replayed,
        Self::Crowded,
        Self::PasswordChanged,
        Self::Disabled,
        Self::Deleted,
    ];

    /// The word in the database and in the log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Replayed => "replayed",
            Self::Crowded => "crowded",
            Self::PasswordChanged => "password_changed",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
        }
    }
}

impl FromStr for EndReason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, UnknownReason> {
        let mut all = Self::ALL.into_iter();
        all.find(|reason| reason.as_str() == text)
            .ok_or(UnknownReason)
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Ends the session a token belongs to, spent or not. What is unknown or over stays so.
pub(crate) async fn end_session(
    database: &Database,
    presented: &RefreshToken,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let digest = presented.digest();
    // Nothing to write for a token nobody was given.
    if store::find_token(database, &digest).await?.is_none() {
        return Ok(());
    }
    let transaction = database.begin_write().await?;
    let Some(session) = store::lock_by_token(&transaction, &digest).await? else {
        return Ok(());
    };
    let owner = Some(session.user_id);
    let ending = end_one(&transaction, &session, EndReason::Logout, owner, now).await?;
    transaction.commit().await?;
    if ending == Ending::Now {
        told(&session, EndReason::Logout);
    }
    Ok(())
}

/// Whether there was a session to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Ended,
    NoSuchSession,
}

/// Ends one of a person's own live sessions.
pub(crate) async fn end_own_session(
    database: &Database,
    owner: UserId,
    id: SessionId,
    now: OffsetDateTime,
) -> Result<Found, DbErr> {
    let transaction = database.begin_write().await?;
    let Some(session) = store::find_live(&transaction, owner, id, now).await? else {
        return Ok(Found::NoSuchSession);
    };
    let reason = EndReason::Owner;
    let ending = end_one(&transaction, &session, reason, Some(owner), now).await?;
    transaction.commit().await?;
    if ending == Ending::Already {
        return Ok(Found::NoSuchSession);
    }
    told(&session, reason);
    Ok(Found::Ended)
}

/// Ends all of a person's sessions, at the will of `actor`.
pub(crate) async fn end_everywhere(
    database: &Database,
    actor: UserId,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let reason = if actor == user_id {
        EndReason::Owner
    } else {
        EndReason::Admin
    };
    let transaction = database.begin_write().await?;
    let count = end_all_of(&transaction, user_id, None, reason, now).await?;
    keep(
        &transaction,
        Action::SessionsEnded,
        Some(actor),
        user_id,
        now,
    )
    .await?;
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

/// Ends a person's live sessions, but for `except`, within the caller's transaction; how many they
/// were. None of their tokens counts once that is committed. What the caller does it for
/// is the caller's to keep in the audit log.
///
/// A login that overlaps is kept out only if the caller holds the account's row
/// ([`accounts::store::lock`]).
pub(crate) async fn end_all_of(
    transaction: &Transaction,
    user_id: UserId,
    except: Option<SessionId>,
    reason: EndReason,
    now: OffsetDateTime,
) -> Result<usize, DbErr> {
    let ended = store::end_all_of(transaction, user_id, except, reason, now).await?;
    let ids: Vec<SessionId> = ended.iter().map(|session| session.id).collect();
    revoke::sessions(transaction, user_id, &ids, now).await?;
    Ok(ended.len())
}

/// As [`end_all_of`] without exception, for many people in one statement.
pub(crate) async fn end_all_of_each(
    transaction: &impl ConnectionTrait,
    users: &[UserId],
    reason: EndReason,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    store::end_all_of_each(transaction, users, reason, now).await
}

/// Forgets that a person, who is about to be, ever signed in. Within the caller's transaction.
pub(crate) async fn forget_all_of(transaction: &Transaction, user_id: UserId) -> Result<(), DbErr> {
    store::delete_all_of(transaction, user_id).await
}

/// Ends a session, calls its access tokens in and keeps that in the audit log, unless it has ended
/// already.
pub(super) async fn end_one(
    transaction: &Transaction,
    session: &session::Model,
    reason: EndReason,
    actor: Option<UserId>,
    now: OffsetDateTime,
) -> Result<Ending, DbErr> {
    let ending = store::end(transaction, session.id, reason, now).await?;
    if ending == Ending::Now {
        revoke::sessions(transaction, session.user_id, &[session.id], now).await?;
        let action = match reason {
            EndReason::Replayed => Action::TokenReplayed,
            _ => Action::SessionEnded,
        };
        keep(transaction, action, actor, session.user_id, now).await?;
    }
    Ok(ending)
}

fn told(session: &session::Model, reason: EndReason) {
    tracing::info!(
        event = "session.ended",
        session.id = session.id.get(),
        reason = reason.as_str(),
        "signed out"
    );
}
