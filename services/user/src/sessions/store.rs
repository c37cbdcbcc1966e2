//! Queries on sessions and their tokens.

use lyceum_chassis::database::{DbErr, Kind, Rows};
use lyceum_chassis::http::Window;
use lyceum_contracts::ids::{SessionId, UserId};
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Select, Set, Unchanged,
};
use time::OffsetDateTime;

use super::EndReason;
use super::domain::Family;
use crate::entity::{refresh_token, session};

/// Sessions ended at most for being too many, by one login: one more than allowed is one, unless
/// the setting was lowered.
const CROWD: u64 = 1_000;

/// Writes a new session.
pub(super) async fn insert(
    db: &impl ConnectionTrait,
    user_id: UserId,
    user_agent: Option<String>,
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
        user_agent: Set(user_agent),
        last_seen_at: Set(opened_at),
        generation: Set(Family::NEW.generation),
    };
    session.insert(db).await
}

/// The session this token was issued to, held against other writers until the transaction ends.
pub(super) async fn lock_by_token(
    db: &impl ConnectionTrait,
    digest: &str,
) -> Result<Option<session::Model>, DbErr> {
    let issued_to = Query::select()
        .column(refresh_token::Column::SessionId)
        .from(refresh_token::Entity)
        .and_where(refresh_token::Column::Digest.eq(digest))
        .to_owned();
    // SQLite has no row locks and needs none: a writing transaction is alone from its beginning.
    session::Entity::find()
        .filter(session::Column::Id.in_subquery(issued_to))
        .lock_exclusive()
        .one(db)
        .await
}

/// A person's sessions that go on at `now`, newest first: one page, and one row more.
pub(super) async fn list_live(
    db: &impl ConnectionTrait,
    user_id: UserId,
    window: Window,
    now: OffsetDateTime,
) -> Result<Vec<session::Model>, DbErr> {
    let mut query = live(user_id, now).order_by_desc(session::Column::Id);
    if let Some(after) = window.after {
        query = query.filter(session::Column::Id.lt(after));
    }
    query.offset(window.skip).limit(window.rows()).all(db).await
}

/// A person's sessions that go on at `now`, but for the `newest` many.
pub(super) async fn list_beyond(
    db: &impl ConnectionTrait,
    user_id: UserId,
    newest: u64,
    now: OffsetDateTime,
) -> Result<Vec<session::Model>, DbErr> {
    live(user_id, now)
        .order_by_desc(session::Column::Id)
        .offset(newest)
        // SQLite knows no offset without a limit.
        .limit(CROWD)
        .all(db)
        .await
}

fn live(user_id: UserId, now: OffsetDateTime) -> Select<session::Entity> {
    session::Entity::find()
        .filter(session::Column::UserId.eq(user_id))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now))
}

/// The live session with this id, if it is this person's.
pub(super) async fn find_live(
    db: &impl ConnectionTrait,
    user_id: UserId,
    id: SessionId,
    now: OffsetDateTime,
) -> Result<Option<session::Model>, DbErr> {
    live(user_id, now)
        .filter(session::Column::Id.eq(id))
        .one(db)
        .await
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

/// Ends a person's sessions that go on at `now`, but for `except`; which they were.
pub(super) async fn end_all_of(
    db: &impl ConnectionTrait,
    user_id: UserId,
    except: Option<SessionId>,
    reason: EndReason,
    now: OffsetDateTime,
) -> Result<Vec<session::Model>, DbErr> {
    let mut update = session::Entity::update_many()
        .set(ended(reason, now))
        .filter(session::Column::UserId.eq(user_id))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now));
    if let Some(kept) = except {
        update = update.filter(session::Column::Id.ne(kept));
    }
    update.exec_with_returning(db).await
}

/// As [`end_all_of`], for many people in one statement.
pub(super) async fn end_all_of_each(
    db: &impl ConnectionTrait,
    users: &[UserId],
    reason: EndReason,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    if users.is_empty() {
        return Ok(());
    }
    let users = users.iter().map(|user| [user.get().into()]);
    let rows = Rows::new([("person", Kind::Integer)], users);
    let constants = [now.into(), reason.as_str().into()];
    let statement = rows.statement(db.get_database_backend(), constants, |rows| {
        format!(
            "UPDATE sessions SET ended_at = $1, ended_reason = $2 FROM {rows} \
             WHERE user_id = person AND ended_at IS NULL AND expires_at > $1"
        )
    })?;
    db.execute_raw(statement).await.map(drop)
}

/// Forgets all sessions of a person, with all their tokens.
pub(super) async fn delete_all_of(db: &impl ConnectionTrait, user_id: UserId) -> Result<(), DbErr> {
    session::Entity::delete_many()
        .filter(session::Column::UserId.eq(user_id))
        .exec(db)
        .await
        .map(drop)
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

/// Notes that a session was refreshed.
pub(super) async fn refreshed(
    db: &impl ConnectionTrait,
    id: SessionId,
    family: Family,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let change = session::ActiveModel {
        id: Unchanged(id),
        generation: Set(family.generation),
        last_seen_at: Set(now),
        ..Default::default()
    };
    change.update(db).await.map(drop)
}

/// Writes a session's next token.
pub(super) async fn insert_token(
    db: &impl ConnectionTrait,
    session_id: SessionId,
    family: Family,
    digest: String,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let token = refresh_token::ActiveModel {
        id: ActiveValue::NotSet,
        session_id: Set(session_id),
        digest: Set(digest),
        issued_at: Set(now),
        spent_at: Set(None),
        generation: Set(family.generation),
    };
    token.insert(db).await.map(drop)
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

/// Notes that a token was presented for the first time.
pub(super) async fn spend_token(
    db: &impl ConnectionTrait,
    id: i64,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let change = refresh_token::ActiveModel {
        id: Unchanged(id),
        spent_at: Set(Some(now)),
        ..Default::default()
    };
    change.update(db).await.map(drop)
}
