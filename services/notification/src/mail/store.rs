//! Queries on letters; those that claim them are in `claims`.

use lyceum_chassis::claims::held;
use lyceum_chassis::database::{DbErr, Kind, Rows};
use lyceum_contracts::delivery::DeliveryState;
use lyceum_contracts::ids::{DeliveryId, UserId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Set, UpdateMany,
};
use time::OffsetDateTime;

use super::letter::Letter;
use super::listing::Listing;
use crate::entity::mail::{ActiveModel, Column, Entity, Model};
use crate::schedule::{NOT_YET, OPEN, Standing};

/// Writes letters that are due at once, each with the `traceparent` of its cause.
pub(super) async fn insert(
    db: &impl ConnectionTrait,
    letters: &[(Letter, Option<String>)],
    message_id: impl Fn() -> String,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    if letters.is_empty() {
        return Ok(());
    }
    let columns = [
        ("user_id", Kind::Integer),
        ("template", Kind::Text),
        ("input", Kind::Json),
        ("message_id", Kind::Text),
        ("traceparent", Kind::Text),
    ];
    let rows = Rows::new(
        columns,
        letters.iter().map(|(letter, traceparent)| {
            [
                letter.recipient.get().into(),
                letter.content.template().into(),
                letter.content.input().to_string().into(),
                message_id().into(),
                traceparent.as_deref().into(),
            ]
        }),
    );
    let statement = rows.statement(db.get_database_backend(), [now.into()], |rows| {
        format!(
            "INSERT INTO mails (user_id, template, input, message_id, traceparent, \
             state, attempts, claims, due_at, created_at, updated_at) \
             SELECT user_id, template, input, message_id, traceparent, \
             'queued', 0, 0, $1, $1, $1 FROM {rows} ORDER BY place"
        )
    })?;
    db.execute_raw(statement).await.map(drop)
}

/// The server has accepted these: whoever holds the claim by now, they are sent.
pub(super) async fn mark_sent(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = DeliveryId>,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    Entity::update_many()
        .set(ActiveModel {
            state: Set(DeliveryState::Sent),
            error: Set(None),
            updated_at: Set(now),
            ..Default::default()
        })
        .filter(Column::Id.is_in(ids))
        .exec(db)
        .await
        .map(drop)
}

/// Writes down where a claimed letter stands; no effect if it was claimed anew since.
pub(super) async fn settle(
    db: &impl ConnectionTrait,
    claim: &Model,
    standing: Standing,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    held(claim)
        .set(ActiveModel {
            state: Set(standing.state),
            attempts: Set(standing.attempts),
            due_at: Set(standing.due_at),
            error: Set(standing.error),
            updated_at: Set(now),
            ..Default::default()
        })
        .exec(db)
        .await
        .map(drop)
}

/// The letter with this id.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    id: DeliveryId,
) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// One page, newest first, and one row more.
pub(super) async fn list(db: &impl ConnectionTrait, listing: Listing) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().order_by_desc(Column::Id);
    if let Some(state) = listing.state {
        query = query.filter(Column::State.eq(state));
    }
    if let Some(after) = listing.window.after {
        query = query.filter(Column::Id.lt(after));
    }
    query
        .offset(listing.window.skip)
        .limit(listing.window.rows())
        .all(db)
        .await
}

/// Makes a letter due at once, with all its attempts before it, if it waits or was given up.
pub(super) async fn requeue(
    db: &impl ConnectionTrait,
    id: DeliveryId,
    now: OffsetDateTime,
) -> Result<Option<Model>, DbErr> {
    let waits = [
        DeliveryState::Queued,
        DeliveryState::Dead,
        DeliveryState::Cancelled,
    ];
    let requeue = Entity::update_many().set(ActiveModel {
        state: Set(DeliveryState::Queued),
        attempts: Set(0),
        due_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    });
    one_in(requeue, db, id, waits).await
}

/// Gives a letter up that waits or is dead.
pub(super) async fn cancel(
    db: &impl ConnectionTrait,
    id: DeliveryId,
    now: OffsetDateTime,
) -> Result<Option<Model>, DbErr> {
    let cancel = Entity::update_many().set(ActiveModel {
        state: Set(DeliveryState::Cancelled),
        updated_at: Set(now),
        ..Default::default()
    });
    one_in(cancel, db, id, [DeliveryState::Queued, DeliveryState::Dead]).await
}

/// The letter after the update, if it was in one of `states`.
async fn one_in(
    update: UpdateMany<Entity>,
    db: &impl ConnectionTrait,
    id: DeliveryId,
    states: impl IntoIterator<Item = DeliveryState>,
) -> Result<Option<Model>, DbErr> {
    let updated = update
        .filter(Column::Id.eq(id))
        .filter(Column::State.is_in(states))
        .exec_with_returning(db)
        .await?;
    Ok(updated.into_iter().next())
}

/// How many letters wait, and since when the oldest does.
#[derive(Debug, Default, PartialEq, FromQueryResult)]
pub(super) struct Backlog {
    pub(super) pending: i64,
    pub(super) oldest: Option<OffsetDateTime>,
}

/// Counts what is still to be sent, claimed letters included, and those not that their readers
/// asked to wait.
pub(super) async fn backlog(db: &impl ConnectionTrait) -> Result<Backlog, DbErr> {
    let backlog = Entity::find()
        .filter(Column::State.is_in(OPEN))
        .filter(Column::Error.is_null().or(Column::Error.ne(NOT_YET)))
        .select_only()
        .column_as(Column::Id.count(), "pending")
        .column_as(Column::CreatedAt.min(), "oldest")
        .into_model::<Backlog>()
        .one(db)
        .await?;
    Ok(backlog.unwrap_or_default())
}

/// Forgets every letter to a person.
pub(crate) async fn erase(db: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user))
        .exec(db)
        .await
        .map(drop)
}
