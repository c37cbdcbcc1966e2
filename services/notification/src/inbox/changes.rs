//! Queries on what became of notifications.

use lyceum_chassis::database::{Kind, Rows};
use lyceum_contracts::ids::{NotificationId, UserId};
use lyceum_contracts::notification::NotificationChange;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use time::OffsetDateTime;

use super::entry::told;
use crate::entity::notification_change::{Column, Entity};

/// Puts each change at its place in its person's sequence.
pub(super) async fn record(
    transaction: &impl ConnectionTrait,
    changes: &[(UserId, NotificationChange)],
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    if changes.is_empty() {
        return Ok(());
    }
    let rows = changes.iter().map(|(user, change)| {
        let deleted_id = match change {
            NotificationChange::Deleted { id, .. } => Some(id.get()),
            _ => None,
        };
        let (seq, data) = (change.seq(), told(*change).to_string());
        [
            user.get().into(),
            seq.into(),
            deleted_id.into(),
            data.into(),
        ]
    });
    let columns = [
        ("user_id", Kind::Integer),
        ("seq", Kind::Integer),
        ("deleted_id", Kind::Integer),
        ("data", Kind::Json),
    ];
    let backend = transaction.get_database_backend();
    let statement = Rows::new(columns, rows).statement(backend, [now.into()], |rows| {
        format!(
            "INSERT INTO notification_changes (user_id, seq, deleted_id, data, created_at) \
             SELECT user_id, seq, deleted_id, data, $1 FROM {rows} ORDER BY place"
        )
    })?;
    transaction.execute_raw(statement).await.map(drop)
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
