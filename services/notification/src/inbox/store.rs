//! Queries on notifications, each starting from the person they belong to.

use std::collections::BTreeMap;

use lyceum_chassis::database::{Kind, Rows};
use lyceum_contracts::ids::{NotificationId, UserId};
use lyceum_contracts::notification::{Notification, UnreadCount};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select,
};
use time::OffsetDateTime;

use super::domain::{Action, ROWS_TO_COUNT, counted};
use super::listing::Listing;
use crate::entity::notification::{Column, Entity, Model};
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

/// As [`count_unread`], of several people.
pub(super) async fn count_unread_each(
    connection: &impl ConnectionTrait,
    people: impl Iterator<Item = UserId>,
    now: OffsetDateTime,
) -> Result<BTreeMap<UserId, UnreadCount>, DbErr> {
    let people = Rows::new(
        [("person", Kind::Integer)],
        people.map(|it| [it.get().into()]),
    );
    let statement = people.statement(connection.get_database_backend(), [now.into()], |people| {
        format!(
            "SELECT person, (SELECT COUNT(*) FROM (SELECT 1 FROM notifications \
             WHERE user_id = person AND read_at IS NULL \
             AND (expires_at IS NULL OR expires_at > $1) LIMIT {ROWS_TO_COUNT}) AS few) FROM {people}"
        )
    })?;
    let mut counts = BTreeMap::new();
    for row in connection.query_all_raw(statement).await? {
        let rows: i64 = row.try_get_by_index(1)?;
        counts.insert(row.try_get_by_index(0)?, counted(rows.unsigned_abs()));
    }
    Ok(counts)
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

/// Takes out what waits under the keys of these notices, and answers it by recipient and key: one
/// for each, or more if older ones were marked as unread again.
pub(super) async fn remove_waiting(
    transaction: &impl ConnectionTrait,
    notices: &[Notice],
) -> Result<BTreeMap<(UserId, String), Vec<Model>>, DbErr> {
    let mut removed: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let keys: Vec<_> = notices
        .iter()
        .filter_map(|notice| Some((notice.recipient.get(), notice.collapse_key.as_deref()?)))
        .collect();
    if keys.is_empty() {
        return Ok(removed);
    }
    let columns = [("person", Kind::Integer), ("key", Kind::Text)];
    let keys = Rows::new(
        columns,
        keys.iter()
            .map(|(person, key)| [(*person).into(), (*key).into()]),
    );
    let statement = keys.statement(transaction.get_database_backend(), [], |keys| {
        format!(
            "DELETE FROM notifications WHERE read_at IS NULL AND collapse_key IS NOT NULL \
             AND (user_id, collapse_key) IN (SELECT person, key FROM {keys}) RETURNING *"
        )
    })?;
    for row in transaction.query_all_raw(statement).await? {
        let row = Model::from_query_result(&row, "")?;
        let key = row.collapse_key.clone().unwrap_or_default();
        removed.entry((row.user_id, key)).or_default().push(row);
    }
    for rows in removed.values_mut() {
        rows.sort_unstable_by_key(|row| row.seq);
    }
    Ok(removed)
}

/// Puts each notice at its place in its recipient's inbox.
pub(super) async fn insert(
    transaction: &impl ConnectionTrait,
    placed: Vec<(Notice, i64)>,
    now: OffsetDateTime,
) -> Result<Vec<(UserId, Notification)>, DbErr> {
    if placed.is_empty() {
        return Ok(Vec::new());
    }
    let columns = [
        ("user_id", Kind::Integer),
        ("seq", Kind::Integer),
        ("kind", Kind::Text),
        ("title", Kind::Text),
        ("body", Kind::Text),
        ("data", Kind::Json),
        ("expires_at", Kind::Instant),
        ("collapse_key", Kind::Text),
    ];
    let rows = Rows::new(
        columns,
        placed.iter().map(|(notice, seq)| {
            [
                notice.recipient.get().into(),
                (*seq).into(),
                notice.kind.into(),
                notice.title.as_str().into(),
                notice.body.as_str().into(),
                notice.data.to_string().into(),
                notice.lasts.map(|lasts| now + lasts).into(),
                notice.collapse_key.as_deref().into(),
            ]
        }),
    );
    let statement = rows.statement(transaction.get_database_backend(), [now.into()], |rows| {
        let names = columns.map(|(name, _)| name).join(", ");
        format!(
            "INSERT INTO notifications ({names}, created_at) SELECT {names}, $1 FROM {rows} \
             ORDER BY place RETURNING id, user_id, seq"
        )
    })?;
    let mut ids = BTreeMap::new();
    for row in transaction.query_all_raw(statement).await? {
        let place: (UserId, i64) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        ids.insert(place, row.try_get_by_index(0)?);
    }
    let written = placed.into_iter().filter_map(|(notice, seq)| {
        let person = notice.recipient;
        let id = ids.remove(&(person, seq))?;
        Some((person, notice.placed(id, seq, now)))
    });
    Ok(written.collect())
}

/// Forgets those of one person.
pub(super) async fn erase(transaction: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user))
        .exec(transaction)
        .await
        .map(drop)
}
