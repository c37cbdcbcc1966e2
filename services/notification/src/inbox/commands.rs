//! What people do with their inboxes. Each write takes a place in the person's sequence, at which the
//! person's streams are told of it, after the commit.

use lyceum_chassis::database::Database;
use lyceum_contracts::ids::{NotificationId, UserId};
use lyceum_contracts::notification::{Notification, NotificationChange};
use sea_orm::{ConnectionTrait, DbErr};
use time::OffsetDateTime;

use super::domain::Action;
use super::telling::burial;
use super::{changes, store};
use crate::sequence;
use crate::state::State;

/// Forgets everything of one person for good. What comes later finds the inbox closed, also from
/// a service that has not heard of it yet.
pub(crate) async fn erase(
    transaction: &impl ConnectionTrait,
    user: UserId,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    // The row first: whoever writes at the same time holds it, or waits for it.
    sequence::end(transaction, user, now).await?;
    store::erase(transaction, user).await?;
    changes::erase(transaction, user).await
}

/// Does something with one notification and returns it; nothing when the person has none such.
/// What is done already is left as it is, and nobody is told of it.
pub(super) async fn act(
    state: &State,
    user: UserId,
    id: NotificationId,
    action: Action,
    now: OffsetDateTime,
) -> Result<Option<Notification>, DbErr> {
    let database = &state.database;
    match store::find(database, user, id, now).await? {
        None => return Ok(None),
        Some(row) if action.is_done(&row) => return Ok(Some(row.into())),
        Some(_) => {}
    }
    let transaction = database.begin_write().await?;
    let Some(seq) = sequence::advance(&transaction, user).await? else {
        transaction.rollback().await?;
        return Ok(None);
    };
    let Some(row) = store::apply(&transaction, user, id, action, now).await? else {
        // Another request was faster. The place goes back: nobody is told of nothing.
        transaction.rollback().await?;
        let found = store::find(database, user, id, now).await?;
        return Ok(found.map(Into::into));
    };
    let count = store::count_unread(&transaction, user, now).await?;
    let change = action.told(seq, id, count);
    changes::record(&transaction, &[(user, change)], now).await?;
    transaction.commit().await?;
    state.hub.tell(user, &change.into());
    Ok(Some(row.into()))
}

/// What came of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deletion {
    /// It is gone, now or since before.
    Gone,
    /// The person never had it, or not for as long as is remembered.
    Unknown,
}

/// Deletes one notification.
pub(super) async fn delete(
    state: &State,
    user: UserId,
    id: NotificationId,
    now: OffsetDateTime,
) -> Result<Deletion, DbErr> {
    let database = &state.database;
    if store::find(database, user, id, now).await?.is_none() {
        return deleted_before(database, user, id).await;
    }
    let transaction = database.begin_write().await?;
    let Some(seq) = sequence::advance(&transaction, user).await? else {
        transaction.rollback().await?;
        return Ok(Deletion::Unknown);
    };
    let Some(row) = store::remove(&transaction, user, id).await? else {
        transaction.rollback().await?;
        return deleted_before(database, user, id).await;
    };
    let count = store::count_unread(&transaction, user, now).await?;
    let [gone, deleted] = burial(&row, seq, count);
    changes::record(&transaction, &[(user, gone), (user, deleted)], now).await?;
    transaction.commit().await?;
    state.hub.tell(user, &deleted.into());
    Ok(Deletion::Gone)
}

async fn deleted_before(
    database: &Database,
    user: UserId,
    id: NotificationId,
) -> Result<Deletion, DbErr> {
    if changes::was_deleted(database, user, id).await? {
        Ok(Deletion::Gone)
    } else {
        Ok(Deletion::Unknown)
    }
}

/// Why not all could be marked as read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadAllError {
    /// The person's sequence has not come that far.
    #[error("is beyond the last place, {head_seq}")]
    Beyond {
        /// How far it has come.
        head_seq: i64,
    },
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Marks as read what waits up to a place of the sequence, or all of it; what comes meanwhile
/// stays unread either way.
pub(super) async fn read_all(
    state: &State,
    user: UserId,
    up_to: Option<i64>,
    now: OffsetDateTime,
) -> Result<(), ReadAllError> {
    let transaction = state.database.begin_write().await?;
    let Some(seq) = sequence::advance(&transaction, user).await? else {
        transaction.rollback().await?;
        return Ok(());
    };
    let head_seq = seq - 1;
    let up_to = up_to.unwrap_or(head_seq);
    if up_to > head_seq {
        transaction.rollback().await?;
        return Err(ReadAllError::Beyond { head_seq });
    }
    if store::read_up_to(&transaction, user, up_to, now).await? == 0 {
        transaction.rollback().await?;
        return Ok(());
    }
    let count = store::count_unread(&transaction, user, now).await?;
    let change = NotificationChange::ReadAll { seq, up_to, count };
    changes::record(&transaction, &[(user, change)], now).await?;
    transaction.commit().await?;
    state.hub.tell(user, &change.into());
    Ok(())
}
