//! Queries on sessions and their tokens.

use lyceum_chassis::database::DbErr;
use lyceum_contracts::ids::{SessionId, UserId};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set,
};
use time::OffsetDateTime;

use super::EndReason;
use crate::entity::{refresh_token, session};

/// Writes a new session.
pub(super) async fn insert(
    db: &impl ConnectionTrait,
    user_id: UserId,
    opened_at: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> Result<session::Model, DbErr> {
    let session = session::ActiveModel {
        id: ActiveValue::NotSet,
        user_id: Set(user_id),
        opened_at: Set(opened_at),
        expires_at: Set(expires_at),
        ended_at: Set(None),
        ended_reason: Set(None),
        user_agent: Set(None),
        last_seen_at: Set(opened_at),
    };
    session.insert(db).await
}

/// The session with this id.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    id: SessionId,
) -> Result<Option<session::Model>, DbErr> {
    session::Entity::find_by_id(id).one(db).await
}

/// Ends a session that has not ended yet.
pub(super) async fn end(
    db: &impl ConnectionTrait,
    id: SessionId,
    reason: EndReason,
    now: OffsetDateTime,
) -> Result<Ending, DbErr> {
    let ended = session::Entity::update_many()
        .set(ended(reason, now))
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::EndedAt.is_null())
        .exec(db)
        .await?;
    Ok(if ended.rows_affected == 0 {
        Ending::Already
    } else {
        Ending::Now
    })
}

/// Ends a person's sessions that have not ended yet, but for `except`; how many they were.
pub(super) async fn end_all_of(
    db: &impl ConnectionTrait,
    user_id: UserId,
    except: Option<SessionId>,
    reason: EndReason,
    now: OffsetDateTime,
) -> Result<u64, DbErr> {
    let mut update = session::Entity::update_many()
        .set(ended(reason, now))
        .filter(session::Column::UserId.eq(user_id))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now));
    if let Some(kept) = except {
        update = update.filter(session::Column::Id.ne(kept));
    }
    Ok(update.exec(db).await?.rows_affected)
}

/// What changes in the row of a session that ends.
fn ended(reason: EndReason, now: OffsetDateTime) -> session::ActiveModel {
    session::ActiveModel {
        ended_at: Set(Some(now)),
        ended_reason: Set(Some(reason)),
        ..Default::default()
    }
}

/// Whether a session was ended by this call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Now,
    Already,
}

/// Forgets a person's sessions that have expired, with all their tokens.
pub(super) async fn delete_expired(
    db: &impl ConnectionTrait,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    session::Entity::delete_many()
        .filter(session::Column::UserId.eq(user_id))
        .filter(session::Column::ExpiresAt.lte(now))
        .exec(db)
        .await?;
    Ok(())
}

/// Writes the next token of a session.
pub(super) async fn insert_token(
    db: &impl ConnectionTrait,
    session_id: SessionId,
    digest: String,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let token = refresh_token::ActiveModel {
        id: ActiveValue::NotSet,
        session_id: Set(session_id),
        digest: Set(digest),
        issued_at: Set(now),
        spent_at: Set(None),
    };
    token.insert(db).await?;
    Ok(())
}

/// The token with this digest.
pub(super) async fn find_token(
    db: &impl ConnectionTrait,
    digest: &str,
) -> Result<Option<refresh_token::Model>, DbErr> {
    refresh_token::Entity::find()
        .filter(refresh_token::Column::Digest.eq(digest))
        .one(db)
        .await
}

/// Whether a token was spent by this call; of two at once, one is told no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spending {
    Now,
    Already,
}

/// Spends a token that is not spent yet.
pub(super) async fn spend_token(
    db: &impl ConnectionTrait,
    id: i64,
    now: OffsetDateTime,
) -> Result<Spending, DbErr> {
    let spent = refresh_token::Entity::update_many()
        .set(refresh_token::ActiveModel {
            spent_at: Set(Some(now)),
            ..Default::default()
        })
        .filter(refresh_token::Column::Id.eq(id))
        .filter(refresh_token::Column::SpentAt.is_null())
        .exec(db)
        .await?;
    Ok(if spent.rows_affected == 0 {
        Spending::Already
    } else {
        Spending::Now
    })
}
