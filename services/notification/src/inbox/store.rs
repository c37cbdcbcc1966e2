//! Queries on inboxes, each starting from the person it belongs to.

use lyceum_contracts::ids::{NotificationId, UserId};
use lyceum_contracts::notification::Notification;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, NotSet, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select, Set,
};
use time::OffsetDateTime;

use super::listing::Listing;
use crate::entity::{notification, recipient};
use crate::events::domain::Notice;

/// Everything of one person; every query below starts here.
fn of(user: UserId) -> Select<notification::Entity> {
    notification::Entity::find().filter(notification::Column::UserId.eq(user))
}

/// Newest first. The cursor is a place in the sequence, so that the unique index on it also finds
/// the page.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    user: UserId,
    listing: Listing,
) -> Result<Vec<notification::Model>, DbErr> {
    let mut query = of(user)
        .order_by_desc(notification::Column::Seq)
        .offset(listing.window.skip)
        .limit(listing.window.rows());
    match listing.unread {
        Some(true) => query = query.filter(notification::Column::ReadAt.is_null()),
        Some(false) => query = query.filter(notification::Column::ReadAt.is_not_null()),
        None => {}
    }
    if let Some(after) = listing.window.after {
        query = query.filter(notification::Column::Seq.lt(after));
    }
    query.all(connection).await
}

/// How many wait to be read.
pub(crate) async fn count_unread(
    connection: &impl ConnectionTrait,
    user: UserId,
) -> Result<u64, DbErr> {
    of(user)
        .filter(notification::Column::ReadAt.is_null())
        .count(connection)
        .await
}

/// Marks one as read and returns it; the first time of reading stays.
pub(crate) async fn mark_read(
    connection: &impl ConnectionTrait,
    user: UserId,
    id: NotificationId,
    now: OffsetDateTime,
) -> Result<Option<notification::Model>, DbErr> {
    let first_read = Expr::col(notification::Column::ReadAt).if_null(now);
    let read = notification::Entity::update_many()
        .col_expr(notification::Column::ReadAt, first_read)
        .filter(notification::Column::UserId.eq(user))
        .filter(notification::Column::Id.eq(id))
        .exec_with_returning(connection)
        .await?;
    Ok(read.into_iter().next())
}

/// Marks all as read that are not.
pub(crate) async fn mark_all_read(
    connection: &impl ConnectionTrait,
    user: UserId,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    notification::Entity::update_many()
        .col_expr(notification::Column::ReadAt, Expr::value(now))
        .filter(notification::Column::UserId.eq(user))
        .filter(notification::Column::ReadAt.is_null())
        .exec(connection)
        .await
        .map(drop)
}

/// Begins somebody's sequence, unless it has begun.
pub(crate) async fn open(connection: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    let row = recipient::ActiveModel {
        user_id: Set(user),
        head_seq: Set(0),
        erased_at: Set(None),
    };
    recipient::Entity::insert(row)
        .on_conflict_do_nothing()
        .exec_without_returning(connection)
        .await
        .map(drop)
}

/// Whether everything of the person was erased, for good.
pub(crate) async fn is_closed(
    connection: &impl ConnectionTrait,
    user: UserId,
) -> Result<bool, DbErr> {
    let recipient = recipient::Entity::find_by_id(user).one(connection).await?;
    Ok(recipient.is_some_and(|recipient| recipient.erased_at.is_some()))
}

/// Forgets everything of one person for good. What comes later finds the inbox closed, also from
/// a service that has not heard of it yet.
pub(crate) async fn erase(
    transaction: &impl ConnectionTrait,
    user: UserId,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let closed = recipient::ActiveModel {
        user_id: Set(user),
        head_seq: Set(0),
        erased_at: Set(Some(now)),
    };
    // The row first: whoever appends at the same time holds it, or waits for it.
    let close = OnConflict::column(recipient::Column::UserId)
        .update_column(recipient::Column::ErasedAt)
        .to_owned();
    recipient::Entity::insert(closed)
        .on_conflict(close)
        .exec_without_returning(transaction)
        .await?;
    notification::Entity::delete_many()
        .filter(notification::Column::UserId.eq(user))
        .exec(transaction)
        .await
        .map(drop)
}

/// Puts a notice at the end of its recipient's inbox; returns it with its place in the sequence,
/// or nothing when the inbox is closed.
///
/// The row of the recipient stays locked until the transaction ends, so that places become
/// visible in order and without gaps, however many write to one person at once.
pub(crate) async fn append(
    transaction: &impl ConnectionTrait,
    notice: Notice,
    now: OffsetDateTime,
) -> Result<Option<Notification>, DbErr> {
    let Some(seq) = advance(transaction, notice.recipient).await? else {
        return Ok(None);
    };
    let row = notification::ActiveModel {
        id: NotSet,
        user_id: Set(notice.recipient),
        seq: Set(seq),
        kind: Set(notice.kind.to_owned()),
        title: Set(notice.title),
        body: Set(notice.body),
        data: Set(notice.data),
        created_at: Set(now),
        read_at: Set(None),
    };
    let row = row.insert(transaction).await?;
    Ok(Some(row.into()))
}

/// Takes the next number. Events of two services may overtake one another, so the first notice
/// can come before the account does, or after its end.
async fn advance(transaction: &impl ConnectionTrait, user: UserId) -> Result<Option<i64>, DbErr> {
    let first = recipient::ActiveModel {
        user_id: Set(user),
        head_seq: Set(1),
        erased_at: Set(None),
    };
    let head = Expr::col((recipient::Entity, recipient::Column::HeadSeq));
    let next = OnConflict::column(recipient::Column::UserId)
        .value(recipient::Column::HeadSeq, head.add(1))
        .action_and_where(Expr::col((recipient::Entity, recipient::Column::ErasedAt)).is_null())
        .to_owned();
    let row = recipient::Entity::insert(first)
        .on_conflict(next)
        .exec_with_returning(transaction)
        .await;
    match row {
        Ok(row) => Ok(Some(row.head_seq)),
        // Nothing was written, so there is no row to return.
        Err(DbErr::RecordNotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
