//! Queries on receivers.

use lyceum_chassis::database::DbErr;
use lyceum_chassis::http::Window;
use lyceum_contracts::ids::WebhookId;
use lyceum_contracts::webhook::{DisabledBecause, EventKind};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, NotSet, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Set,
};
use time::OffsetDateTime;

use super::domain;
use super::secret::SigningSecret;
use crate::entity::webhook::{ActiveModel, Column, Entity, Model};

/// Keeps a new receiver.
pub(super) async fn insert(
    db: &impl ConnectionTrait,
    url: String,
    events: &[EventKind],
    secret: SigningSecret,
    now: OffsetDateTime,
) -> Result<Model, DbErr> {
    let row = ActiveModel {
        id: NotSet,
        url: Set(url),
        events: Set(domain::kept(events)),
        secret: Set(secret),
        old_secret: Set(None),
        old_secret_until: Set(None),
        disabled_because: Set(None),
        failing_since: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    row.insert(db).await
}

/// How many there are.
pub(super) async fn count(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    Entity::find().count(db).await
}

/// How many are disabled although no admin wanted it.
pub(super) async fn count_given_up(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    // Of those that are not disabled neither is said.
    Entity::find()
        .filter(Column::DisabledBecause.ne(DisabledBecause::Admin))
        .count(db)
        .await
}

/// The receiver with this id.
pub(super) async fn find(db: &impl ConnectionTrait, id: WebhookId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// As [`find`]; nobody else changes or deletes it until the transaction ends. Events go on to be
/// taken in for it.
pub(super) async fn lock(
    transaction: &impl ConnectionTrait,
    id: WebhookId,
) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(transaction)
        .await
}

/// Those that are told of events, and of which kinds; nobody deletes them until the transaction
/// ends.
pub(super) async fn enabled(
    transaction: &impl ConnectionTrait,
) -> Result<Vec<(WebhookId, Vec<EventKind>)>, DbErr> {
    // They are few (`webhooks.most`), and what they want is read whole.
    let enabled = Entity::find()
        .filter(Column::DisabledBecause.is_null())
        .order_by_asc(Column::Id)
        .lock(LockType::KeyShare)
        .all(transaction)
        .await?;
    let wanting = enabled
        .into_iter()
        .map(|it| (it.id, domain::kinds(&it.events)));
    Ok(wanting.collect())
}

/// One page, newest first, and one row more.
pub(super) async fn list(db: &impl ConnectionTrait, window: Window) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().order_by_desc(Column::Id);
    if let Some(after) = window.after {
        query = query.filter(Column::Id.lt(after));
    }
    query.offset(window.skip).limit(window.rows()).all(db).await
}

/// Deletes one with everything that was to be sent to it; whether it was there.
pub(super) async fn delete(db: &impl ConnectionTrait, id: WebhookId) -> Result<bool, DbErr> {
    let deleted = Entity::delete_by_id(id).exec(db).await?;
    Ok(deleted.rows_affected > 0)
}
