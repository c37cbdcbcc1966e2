//! Queries on what became of notifications.

use lyceum_contracts::ids::{NotificationId, UserId};
use lyceum_contracts::notification::NotificationChange;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, NotSet, QueryFilter,
    QuerySelect, Set,
};
use time::OffsetDateTime;

use super::entry::{Entry, told};
use crate::entity::notification_change::{ActiveModel, Column, Entity};

/// Puts a change at its place in the sequence of `user`; the entry is for their streams.
pub(super) async fn record(
    transaction: &impl ConnectionTrait,
    user: UserId,
    change: NotificationChange,
    now: OffsetDateTime,
) -> Result<Entry, DbErr> {
    let deleted_id = match change {
        NotificationChange::Deleted { id, .. } => Some(id),
        _ => None,
    };
    let (seq, data) = (change.seq(), told(change));
    let row = ActiveModel {
        id: NotSet,
        user_id: Set(user),
        seq: Set(seq),
        deleted_id: Set(deleted_id),
        data: Set(data.clone()),
        created_at: Set(now),
    };
    row.insert(transaction).await?;
    Ok(Entry::Change { seq, data })
}

/// Whether `user` once had this notification, and has it no more; as long as changes are kept.
pub(super) async fn was_deleted(
    connection: &impl ConnectionTrait,
    user: UserId,
    id: NotificationId,
) -> Result<bool, DbErr> {
    let found = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::UserId.eq(user))
        .filter(Column::DeletedId.eq(id))
        .limit(1)
        .into_tuple::<i64>()
        .one(connection)
        .await?;
    Ok(found.is_some())
}

/// Forgets those of one person.
pub(super) async fn erase(transaction: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user))
        .exec(transaction)
        .await
        .map(drop)
}
