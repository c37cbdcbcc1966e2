//! Queries on notifications, each starting from the person they belong to.

use lyceum_contracts::ids::{NotificationId, UserId};
use lyceum_contracts::notification::UnreadCount;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, NotSet,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, Set,
};
use time::OffsetDateTime;

use super::domain::{Action, ROWS_TO_COUNT, counted};
use super::listing::Listing;
use crate::entity::notification::{ActiveModel, Column, Entity, Model};
use crate::events::domain::Notice;

/// Everything of one person that is not over; what people see starts here.
fn of(user: UserId, now: OffsetDateTime) -> Select<Entity> {
    Entity::find()
        .filter(Column::UserId.eq(user))
        .filter(is_shown(now))
}

fn is_shown(now: OffsetDateTime) -> Condition {
    Condition::any()
        .add(Column::ExpiresAt.is_null())
        .add(Column::ExpiresAt.gt(now))
}

/// Newest first. The cursor is a place in the sequence, so that the unique index on it also finds
/// the page.
pub(super) async fn list(
    connection: &impl ConnectionTrait,
    user: UserId,
    listing: Listing,
    now: OffsetDateTime,
) -> Result<Vec<Model>, DbErr> {
    let Listing {
        unread,
        kind,
        archived,
        window,
    } = listing;
    let mut query = of(user, now)
        .order_by_desc(Column::Seq)
        .offset(window.skip)
        .limit(window.rows())
        .filter(is_set(Column::ArchivedAt, archived));
    if let Some(unread) = unread {
        query = query.filter(is_set(Column::ReadAt, !unread));
    }
    if let Some(kind) = kind {
        query = query.filter(Column::Kind.eq(kind));
    }
    if let Some(after) = window.after {
        query = query.filter(Column::Seq.lt(after));
    }
    query.all(connection).await
}

fn is_set(column: Column, set: bool) -> Expr {
    if set {
        column.is_not_null()
    } else {
        column.is_null()
    }
}

/// One of this person's.
pub(super) async fn find(
    connection: &impl ConnectionTrait,
    user: UserId,
    id: NotificationId,
    now: OffsetDateTime,
) -> Result<Option<Model>, DbErr> {
    of(user, now)
        .filter(Column::Id.eq(id))
        .one(connection)
        .await
}

/// How many wait to be read.
pub(crate) async fn count_unread(
    connection: &impl ConnectionTrait,
    user: UserId,
    now: OffsetDateTime,
) -> Result<UnreadCount, DbErr> {
    let query = unread_rows(user, now);
    let row = connection.query_one(&query).await?;
    let rows: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(counted(rows.unsigned_abs()))
}

/// The number of rows that wait to be read, no more than [`ROWS_TO_COUNT`] of them looked at.
pub(crate) fn unread_rows(user: UserId, now: OffsetDateTime) -> SelectStatement {
    let few = of(user, now)
        .select_only()
        .column(Column::Id)
        .filter(Column::ReadAt.is_null())
        .limit(ROWS_TO_COUNT)
        .into_query();
    Query::select()
        .expr(Expr::col(Alias::new("id")).count())
        .from_subquery(few, Alias::new("few"))
        .take()
}

/// Does it, unless that changes nothing or there is none; returns what it is then.
pub(super) async fn apply(
    transaction: &impl ConnectionTrait,
    user: UserId,
    id: NotificationId,
    action: Action,
    now: OffsetDateTime,
) -> Result<Option<Model>, DbErr> {
    let nothing = || Expr::value(None::<OffsetDateTime>);
    let first_read = Expr::col(Column::ReadAt).if_null(now);
    let update = Entity::update_many()
        .filter(Column::UserId.eq(user))
        .filter(Column::Id.eq(id))
        .filter(is_shown(now));
    let update = match action {
        Action::Read => update
            .filter(Column::ReadAt.is_null())
            .col_expr(Column::ReadAt, Expr::value(now)),
        Action::Unread => update
            .filter(Column::ReadAt.is_not_null())
            .col_expr(Column::ReadAt, nothing())
            .col_expr(Column::ArchivedAt, nothing()),
        Action::Archive => update
            .filter(Column::ArchivedAt.is_null())
            .col_expr(Column::ReadAt, first_read)
            .col_expr(Column::ArchivedAt, Expr::value(now)),
        Action::Unarchive => update
            .filter(Column::ArchivedAt.is_not_null())
            .col_expr(Column::ArchivedAt, nothing()),
    };
    let changed = update.exec_with_returning(transaction).await?;
    Ok(changed.into_iter().next())
}

/// Marks as read what waits, up to a place in the sequence; how many it were.
pub(super) async fn read_up_to(
    transaction: &impl ConnectionTrait,
    user: UserId,
    up_to: i64,
    now: OffsetDateTime,
) -> Result<u64, DbErr> {
    let read = Entity::update_many()
        .col_expr(Column::ReadAt, Expr::value(now))
        .filter(Column::UserId.eq(user))
        .filter(Column::ReadAt.is_null())
        .filter(Column::Seq.lte(up_to))
        .exec(transaction)
        .await?;
    Ok(read.rows_affected)
}

/// Takes one out.
pub(super) async fn remove(
    transaction: &impl ConnectionTrait,
    user: UserId,
    id: NotificationId,
) -> Result<Option<Model>, DbErr> {
    let removed = Entity::delete_many()
        .filter(Column::UserId.eq(user))
        .filter(Column::Id.eq(id))
        .exec_with_returning(transaction)
        .await?;
    Ok(removed.into_iter().next())
}

/// Takes out what waits under this key: one, or more if older ones were marked as unread again.
pub(super) async fn remove_waiting(
    transaction: &impl ConnectionTrait,
    user: UserId,
    key: &str,
) -> Result<Vec<Model>, DbErr> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user))
        .filter(Column::CollapseKey.eq(key))
        .filter(Column::ReadAt.is_null())
        .exec_with_returning(transaction)
        .await
}

/// Puts a notice at the place `seq` of its recipient's inbox.
pub(super) async fn insert(
    transaction: &impl ConnectionTrait,
    notice: Notice,
    seq: i64,
    now: OffsetDateTime,
) -> Result<Model, DbErr> {
    let row = ActiveModel {
        id: NotSet,
        user_id: Set(notice.recipient),
        seq: Set(seq),
        kind: Set(notice.kind.to_owned()),
        title: Set(notice.title),
        body: Set(notice.body),
        data: Set(notice.data),
        created_at: Set(now),
        read_at: Set(None),
        archived_at: Set(None),
        expires_at: Set(notice.lasts.map(|lasts| now + lasts)),
        collapse_key: Set(notice.collapse_key),
    };
    row.insert(transaction).await
}

/// Forgets those of one person.
pub(super) async fn erase(transaction: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user))
        .exec(transaction)
        .await
        .map(drop)
}
