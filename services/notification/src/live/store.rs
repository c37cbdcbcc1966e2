//! What streams read. Each query is one statement, so that its parts belong together.

use lyceum_contracts::ids::{NotificationId, UserId};
use lyceum_contracts::notification::{Notification, NotificationChange};
use sea_orm::sea_query::{Alias, Expr, Order, UnionType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
    QueryTrait,
};
use serde_json::Value;
use time::OffsetDateTime;

use super::courses;
use super::domain::Position;
use super::told::Told;
use super::topic::Topic;
use crate::entity::{notification, notification_change, recipient};
use crate::inbox::domain::counted;
use crate::inbox::{self, Entry};

#[derive(FromQueryResult)]
struct PositionRow {
    head_seq: i64,
    floor_seq: i64,
    unread: i64,
}

/// How far a sequence has come; none if it is over.
pub(super) async fn position(
    connection: &impl ConnectionTrait,
    topic: Topic,
    now: OffsetDateTime,
) -> Result<Option<Position>, DbErr> {
    match topic {
        Topic::Person(user) => position_of(connection, user, now).await.map(Some),
        Topic::Course(course) => courses::store::position(connection, course).await,
    }
}

/// The next entries of a sequence after `seq`, in order, at most `limit`.
pub(super) async fn after(
    connection: &impl ConnectionTrait,
    topic: Topic,
    seq: i64,
    limit: u64,
    now: OffsetDateTime,
) -> Result<Vec<Told>, DbErr> {
    match topic {
        Topic::Person(user) => {
            let entries = entries_after(connection, user, seq, limit, now).await?;
            Ok(entries.into_iter().map(|it| Told::new(&it)).collect())
        }
        Topic::Course(course) => {
            let news = courses::store::after(connection, course, seq, limit).await?;
            Ok(news.iter().map(Told::news).collect())
        }
    }
}

/// How far several sequences have come; those that have not begun are left out.
pub(super) async fn heads(
    connection: &impl ConnectionTrait,
    topics: &[Topic],
) -> Result<Vec<(Topic, i64)>, DbErr> {
    let (mut people, mut courses) = (Vec::new(), Vec::new());
    for topic in topics {
        match topic {
            Topic::Person(user) => people.push(*user),
            Topic::Course(course) => courses.push(*course),
        }
    }
    let mut heads = Vec::with_capacity(topics.len());
    if !people.is_empty() {
        let people = heads_of(connection, people).await?;
        heads.extend(
            people
                .into_iter()
                .map(|it| (Topic::Person(it.user_id), it.head_seq)),
        );
    }
    if !courses.is_empty() {
        let courses = courses::store::heads(connection, courses).await?;
        heads.extend(
            courses
                .into_iter()
                .map(|it| (Topic::Course(it.course_id), it.head_seq)),
        );
    }
    Ok(heads)
}

async fn position_of(
    connection: &impl ConnectionTrait,
    user: UserId,
    now: OffsetDateTime,
) -> Result<Position, DbErr> {
    let row = recipient::Entity::find_by_id(user)
        .select_only()
        .columns([recipient::Column::HeadSeq, recipient::Column::FloorSeq])
        .expr_as(inbox::store::unread_rows(user, now), "unread")
        .into_model::<PositionRow>()
        .one(connection)
        .await?;
    // Nobody has told this person anything yet.
    let row = row.unwrap_or(PositionRow {
        head_seq: 0,
        floor_seq: 0,
        unread: 0,
    });
    Ok(Position {
        head_seq: row.head_seq,
        floor_seq: row.floor_seq,
        count: Some(counted(row.unread.unsigned_abs())),
    })
}

/// A notification, or a change, which has no kind and no text.
#[derive(FromQueryResult)]
struct EntryRow {
    seq: i64,
    data: Value,
    created_at: OffsetDateTime,
    id: Option<NotificationId>,
    kind: Option<String>,
    title: Option<String>,
    body: Option<String>,
    read_at: Option<OffsetDateTime>,
    archived_at: Option<OffsetDateTime>,
    expires_at: Option<OffsetDateTime>,
}

/// What stands at the next places of a person's sequence after `seq`, in order, at most `limit`.
/// In place of what has expired by `now` it is told that this is gone.
async fn entries_after(
    connection: &impl ConnectionTrait,
    user: UserId,
    seq: i64,
    limit: u64,
    now: OffsetDateTime,
) -> Result<Vec<Entry>, DbErr> {
    use notification::Column;
    use notification_change::Column as Change;
    let nothing = || Expr::cust("NULL");
    let mut changes = notification_change::Entity::find()
        .select_only()
        .columns([Change::Seq, Change::Data, Change::CreatedAt])
        .filter(Change::UserId.eq(user))
        .filter(Change::Seq.gt(seq))
        .into_query();
    changes.exprs((0..7).map(|_| nothing()));
    let mut entries = notification::Entity::find()
        .select_only()
        .columns([Column::Seq, Column::Data, Column::CreatedAt, Column::Id])
        .columns([Column::Kind, Column::Title, Column::Body])
        .columns([Column::ReadAt, Column::ArchivedAt, Column::ExpiresAt])
        .filter(Column::UserId.eq(user))
        .filter(Column::Seq.gt(seq))
        .into_query();
    entries
        .union(UnionType::All, changes)
        .order_by(Alias::new("seq"), Order::Asc)
        .limit(limit);
    let statement = connection.get_database_backend().build(&entries);
    let rows = EntryRow::find_by_statement(statement)
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| entry(row, now)).collect())
}

fn entry(row: EntryRow, now: OffsetDateTime) -> Entry {
    let seq = row.seq;
    let is_over = row.expires_at.is_some_and(|moment| moment <= now);
    match (row.id, row.kind, row.title, row.body) {
        (Some(id), ..) if is_over => NotificationChange::Gone { seq, id }.into(),
        (Some(id), Some(kind), Some(title), Some(body)) => Entry::Notification(Notification {
            id,
            seq,
            kind,
            title,
            body,
            data: row.data,
            created_at: row.created_at,
            read_at: row.read_at,
            archived_at: row.archived_at,
            expires_at: row.expires_at,
        }),
        _ => Entry::Change {
            seq,
            data: row.data,
        },
    }
}

async fn heads_of(
    connection: &impl ConnectionTrait,
    people: Vec<UserId>,
) -> Result<Vec<recipient::Model>, DbErr> {
    recipient::Entity::find()
        .filter(recipient::Column::UserId.is_in(people))
        .all(connection)
        .await
}
