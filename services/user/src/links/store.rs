//! Queries on mailed links and their tokens.

use lyceum_chassis::database::{DbErr, Kind, Rows};
use lyceum_contracts::event::LinkPurpose;
use lyceum_contracts::ids::UserId;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect,
};
use time::OffsetDateTime;

use crate::accounts::Email;
use crate::entity::mailed_link::{ActiveModel, Column, Entity, Model};
use crate::entity::mailed_link_token as token;

/// Writes one link for each of `users` in one statement; their ids, each with whose it is.
pub(super) async fn insert(
    db: &impl ConnectionTrait,
    users: &[UserId],
    purpose: LinkPurpose,
    address: Option<&Email>,
    now: OffsetDateTime,
) -> Result<Vec<(i64, UserId)>, DbErr> {
    let rows = users.iter().map(|user| [user.get().into()]);
    let address = address.map(|address| address.typed().to_owned());
    let constants = [purpose.as_str().into(), address.into(), now.into()];
    let rows = Rows::new([("user_id", Kind::Integer)], rows);
    let statement = rows.statement(db.get_database_backend(), constants, |rows| {
        format!(
            "INSERT INTO mailed_links (user_id, purpose, address, created_at) \
             SELECT user_id, $1, $2, $3 FROM {rows} ORDER BY place RETURNING id, user_id"
        )
    })?;
    let written = db.query_all_raw(statement).await?.into_iter();
    let link = |row: QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    written.map(link).collect()
}

/// The link with this id.
pub(super) async fn find(db: &impl ConnectionTrait, id: i64) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// When the person was promised their newest links of this purpose, newest first, at most `limit`.
pub(super) async fn newest(
    db: &impl ConnectionTrait,
    user: UserId,
    purpose: LinkPurpose,
    limit: u64,
) -> Result<Vec<OffsetDateTime>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::CreatedAt)
        .filter(Column::UserId.eq(user))
        .filter(Column::Purpose.eq(purpose))
        .order_by_desc(Column::CreatedAt)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Whether a link was spent by this call; of two at once, one is told no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spending {
    Now,
    Already,
}

/// Spends a link that is not spent yet. What it was about has been said: the address goes.
pub(super) async fn spend(
    db: &impl ConnectionTrait,
    id: i64,
    now: OffsetDateTime,
) -> Result<Spending, DbErr> {
    let spent = Entity::update_many()
        .set(as_spent(now))
        .filter(Column::Id.eq(id))
        .filter(Column::SpentAt.is_null())
        .exec(db)
        .await?;
    Ok(if spent.rows_affected == 0 {
        Spending::Already
    } else {
        Spending::Now
    })
}

/// Spends every link the person has.
pub(super) async fn spend_all(
    db: &impl ConnectionTrait,
    user: UserId,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    Entity::update_many()
        .set(as_spent(now))
        .filter(Column::UserId.eq(user))
        .filter(Column::SpentAt.is_null())
        .exec(db)
        .await
        .map(drop)
}

fn as_spent(now: OffsetDateTime) -> ActiveModel {
    ActiveModel {
        address: Set(None),
        spent_at: Set(Some(now)),
        ..Default::default()
    }
}

/// Forgets every link of a person, and the tokens of them.
pub(super) async fn delete_all_of(db: &impl ConnectionTrait, user_id: UserId) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user_id))
        .exec(db)
        .await
        .map(drop)
}

/// Keeps the digest of a token.
pub(super) async fn insert_token(
    db: &impl ConnectionTrait,
    link_id: i64,
    digest: String,
    expires_at: OffsetDateTime,
) -> Result<(), DbErr> {
    let row = token::ActiveModel {
        id: NotSet,
        link_id: Set(link_id),
        digest: Set(digest),
        expires_at: Set(expires_at),
    };
    token::Entity::insert(row)
        .exec_without_returning(db)
        .await
        .map(drop)
}

/// The token with this digest.
pub(super) async fn find_token(
    db: &impl ConnectionTrait,
    digest: &str,
) -> Result<Option<token::Model>, DbErr> {
    token::Entity::find()
        .filter(token::Column::Digest.eq(digest))
        .one(db)
        .await
}

/// Forgets the tokens of a link whose time is over.
pub(super) async fn delete_expired_tokens(
    db: &impl ConnectionTrait,
    link_id: i64,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    token::Entity::delete_many()
        .filter(token::Column::LinkId.eq(link_id))
        .filter(token::Column::ExpiresAt.lte(now))
        .exec(db)
        .await
        .map(drop)
}
