//! Queries on who is there.

use std::collections::HashMap;

use lyceum_chassis::database::{DbErr, Kind, Rows};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::presence::Visibility;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, NotSet, QueryFilter, QuerySelect,
    Set, Statement,
};
use time::OffsetDateTime;

use super::domain::{Traces, minute};
use crate::entity::{presence, presence_replica as replica, presence_seat as seat};

/// Writes down that a process lives; its number from now on.
pub(super) async fn begin(
    db: &impl ConnectionTrait,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<i64, DbErr> {
    let row = replica::ActiveModel {
        id: NotSet,
        beat_at: Set(now),
        until: Set(until),
    };
    row.insert(db).await.map(|row| row.id)
}

/// Writes down that it still lives; false when it has been silent for so long that it was taken
/// away.
pub(super) async fn beat(
    db: &impl ConnectionTrait,
    id: i64,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<bool, DbErr> {
    let beaten = replica::Entity::update_many()
        .col_expr(replica::Column::BeatAt, Expr::value(now))
        .col_expr(replica::Column::Until, Expr::value(until))
        .filter(replica::Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(beaten.rows_affected == 1)
}

/// Writes down that people are on a replica, in one statement; who is already, or is erased, is
/// left alone.
pub(super) async fn seat(
    db: &impl ConnectionTrait,
    replica: i64,
    people: &[UserId],
) -> Result<(), DbErr> {
    let statement =
        rows(people).statement(db.get_database_backend(), [replica.into()], |rows| {
            format!(
                "INSERT INTO presence_seats (user_id, replica_id) \
                 SELECT user_id, $1 FROM {rows} WHERE {NOT_ERASED} ON CONFLICT DO NOTHING"
            )
        })?;
    db.execute_raw(statement).await.map(drop)
}

/// Writes down that people have left a replica now.
pub(super) async fn leave(
    transaction: &impl ConnectionTrait,
    replica: i64,
    people: &[UserId],
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    seat::Entity::delete_many()
        .filter(seat::Column::ReplicaId.eq(replica))
        .filter(seat::Column::UserId.is_in(people.iter().copied()))
        .exec(transaction)
        .await?;
    let statement = rows(people).statement(
        transaction.get_database_backend(),
        [minute(now).into()],
        |rows| {
            format!(
                "INSERT INTO presences (user_id, seen_minute, hidden) \
                 SELECT user_id, $1, false FROM {rows} WHERE {NOT_ERASED} {SEEN}"
            )
        },
    )?;
    transaction.execute_raw(statement).await.map(drop)
}

/// Takes a replica away, with everybody who is on it: they were last there at `seen`.
pub(super) async fn end(
    transaction: &impl ConnectionTrait,
    id: i64,
    seen: OffsetDateTime,
) -> Result<(), DbErr> {
    let sql = format!(
        "INSERT INTO presences (user_id, seen_minute, hidden) \
         SELECT user_id, $1, false FROM presence_seats WHERE replica_id = $2 {SEEN}"
    );
    let backend = transaction.get_database_backend();
    let values = [minute(seen).into(), id.into()];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    transaction.execute_raw(statement).await?;
    seat::Entity::delete_many()
        .filter(seat::Column::ReplicaId.eq(id))
        .exec(transaction)
        .await?;
    replica::Entity::delete_by_id(id)
        .exec(transaction)
        .await
        .map(drop)
}

/// What is said of somebody who may be erased must not come back.
const NOT_ERASED: &str = "NOT EXISTS (SELECT 1 FROM recipients \
                          WHERE recipients.user_id = given.user_id AND erased_at IS NOT NULL)";

/// Of two moments the later one counts, in whatever order they are written.
const SEEN: &str = "ON CONFLICT (user_id) DO UPDATE SET seen_minute = \
                    CASE WHEN presences.seen_minute > excluded.seen_minute \
                    THEN presences.seen_minute ELSE excluded.seen_minute END";

fn rows(people: &[UserId]) -> Rows<'_, 1> {
    let people = people.iter().map(|user| [user.get().into()]);
    Rows::new([("user_id", Kind::Integer)], people)
}

/// Replicas that have been silent since before `end`, a few of them.
pub(super) async fn silent_since(
    db: &impl ConnectionTrait,
    end: OffsetDateTime,
    limit: u64,
) -> Result<Vec<i64>, DbErr> {
    replica::Entity::find()
        .select_only()
        .column(replica::Column::Id)
        .filter(replica::Column::Until.lt(end))
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// A replica that has been silent since before `end`, kept from coming back until the transaction
/// ends.
pub(super) async fn lock_silent(
    transaction: &impl ConnectionTrait,
    id: i64,
    end: OffsetDateTime,
) -> Result<Option<replica::Model>, DbErr> {
    // SQLite has no row locks and needs none: a writing transaction is alone from its beginning.
    replica::Entity::find_by_id(id)
        .filter(replica::Column::Until.lt(end))
        .lock_exclusive()
        .one(transaction)
        .await
}

/// What is written down of each of `people`; nothing of who was never there and hides nothing.
pub(super) async fn traces(
    db: &impl ConnectionTrait,
    people: &[UserId],
) -> Result<HashMap<UserId, Traces>, DbErr> {
    let mut traces = HashMap::<UserId, Traces>::new();
    let seats = seat::Entity::find()
        .filter(seat::Column::UserId.is_in(people.iter().copied()))
        .all(db)
        .await?;
    if !seats.is_empty() {
        let replicas = replica::Entity::find().all(db).await?;
        let replicas: HashMap<i64, _> = replicas.into_iter().map(|it| (it.id, it)).collect();
        for seat in seats {
            if let Some(replica) = replicas.get(&seat.replica_id) {
                let traces = traces.entry(seat.user_id).or_default();
                traces.replicas.push(replica.clone());
            }
        }
    }
    let known = presence::Entity::find()
        .filter(presence::Column::UserId.is_in(people.iter().copied()))
        .all(db)
        .await?;
    for row in known {
        let traces = traces.entry(row.user_id).or_default();
        (traces.seen_minute, traces.hidden) = (row.seen_minute, row.hidden);
    }
    Ok(traces)
}

/// How many people are there.
pub(super) async fn count(db: &impl ConnectionTrait, now: OffsetDateTime) -> Result<u64, DbErr> {
    let living: Vec<i64> = replica::Entity::find()
        .select_only()
        .column(replica::Column::Id)
        .filter(replica::Column::Until.gt(now))
        .into_tuple()
        .all(db)
        .await?;
    let people: Option<i64> = seat::Entity::find()
        .select_only()
        .column_as(Expr::col(seat::Column::UserId).count_distinct(), "people")
        .filter(seat::Column::ReplicaId.is_in(living))
        .into_tuple()
        .one(db)
        .await?;
    Ok(people.unwrap_or_default().unsigned_abs())
}

/// Whether others see when somebody is there.
pub(crate) async fn visibility(
    db: &impl ConnectionTrait,
    user: UserId,
) -> Result<Visibility, DbErr> {
    let row = presence::Entity::find_by_id(user).one(db).await?;
    Ok(match row {
        Some(row) if row.hidden => Visibility::Hidden,
        _ => Visibility::Shown,
    })
}

/// Lets others see it from now on, or not.
pub(crate) async fn set_visibility(
    db: &impl ConnectionTrait,
    user: UserId,
    visibility: Visibility,
) -> Result<(), DbErr> {
    let row = presence::ActiveModel {
        user_id: Set(user),
        seen_minute: Set(None),
        hidden: Set(visibility == Visibility::Hidden),
    };
    let hidden = OnConflict::column(presence::Column::UserId)
        .update_column(presence::Column::Hidden)
        .to_owned();
    presence::Entity::insert(row)
        .on_conflict(hidden)
        .exec_without_returning(db)
        .await
        .map(drop)
}

/// Forgets when somebody was there.
pub(crate) async fn erase(db: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    seat::Entity::delete_many()
        .filter(seat::Column::UserId.eq(user))
        .exec(db)
        .await?;
    presence::Entity::delete_by_id(user)
        .exec(db)
        .await
        .map(drop)
}
