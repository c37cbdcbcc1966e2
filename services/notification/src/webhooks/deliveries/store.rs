//! Queries on messages.
//!
//! Whoever locks a receiver's row and messages of it in one transaction locks the receiver first.

use lyceum_chassis::claims::{Claimable, claiming, held, take};
use lyceum_chassis::database::{Database, DbErr, Kind, Rows};
use lyceum_contracts::delivery::DeliveryState;
use lyceum_contracts::ids::{UserId, WebhookDeliveryId, WebhookId};
use lyceum_contracts::webhook::EventKind;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Set, Statement,
};
use time::OffsetDateTime;

use crate::entity::webhook;
use crate::entity::webhook_delivery::{ActiveModel, Column, Entity, Model};
use crate::mail::Listing;
use crate::schedule::{CLAIM_WRITES, OPEN, Standing};

impl Claimable for Entity {
    const STATE: &'static str = "state";
    const CLAIMED: &'static str = DeliveryState::Sending.as_str();
    const ALSO: &'static str = CLAIM_WRITES;

    fn claim_of(message: &Model) -> (i64, i64) {
        (message.id.get(), message.claims)
    }
}

/// What receivers are told of one event.
#[derive(Debug)]
pub(crate) struct Message {
    pub(in crate::webhooks) receivers: Vec<WebhookId>,
    /// What stands in `webhook-id`.
    pub(in crate::webhooks) id: String,
    pub(in crate::webhooks) event: EventKind,
    pub(in crate::webhooks) about: UserId,
    pub(in crate::webhooks) body: String,
    pub(in crate::webhooks) traceparent: Option<String>,
}

impl Message {
    /// Who must not have been erased; what says that somebody was is told either way.
    pub(crate) fn needs(&self) -> Option<UserId> {
        (self.event != EventKind::UserDeleted).then_some(self.about)
    }
}

/// Writes messages to all their receivers, due at once; none where it stands already, as when an
/// event comes again that nobody remembers.
pub(in crate::webhooks) async fn insert(
    transaction: &impl ConnectionTrait,
    messages: &[Message],
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    if messages.is_empty() {
        return Ok(());
    }
    let columns = [
        ("webhook_id", Kind::Integer),
        ("user_id", Kind::Integer),
        ("event", Kind::Text),
        ("message_id", Kind::Text),
        ("body", Kind::Text),
        ("traceparent", Kind::Text),
    ];
    let rows = messages.iter().flat_map(|message| {
        message.receivers.iter().map(|receiver| {
            [
                receiver.get().into(),
                message.about.get().into(),
                message.event.as_str().into(),
                message.id.as_str().into(),
                message.body.as_str().into(),
                message.traceparent.as_deref().into(),
            ]
        })
    });
    let backend = transaction.get_database_backend();
    let statement = Rows::new(columns, rows).statement(backend, [now.into()], |rows| {
        let names = columns.map(|(name, _)| name).join(", ");
        format!(
            "INSERT INTO webhook_deliveries \
             ({names}, state, attempts, claims, due_at, created_at, updated_at) \
             SELECT {names}, 'queued', 0, 0, $1, $1, $1 FROM {rows} WHERE true ORDER BY place \
             ON CONFLICT DO NOTHING"
        )
    })?;
    transaction.execute_raw(statement).await.map(drop)
}

/// The receivers for whom something is due.
pub(super) async fn receivers_with_due(
    db: &impl ConnectionTrait,
    now: OffsetDateTime,
) -> Result<Vec<webhook::Model>, DbErr> {
    let sql = "SELECT * FROM webhooks WHERE EXISTS (SELECT 1 FROM webhook_deliveries \
               WHERE webhook_id = webhooks.id AND state IN ('queued', 'sending') AND due_at <= $1)";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [now.into()]);
    let rows = db.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| webhook::Model::from_query_result(row, ""))
        .collect()
}

/// Takes up to `limit` messages to one receiver that are due, the longest due first, until
/// `lease_end`, in one statement. Another replica's are skipped, not waited for.
pub(super) async fn claim(
    database: &Database,
    receiver: WebhookId,
    now: OffsetDateTime,
    lease_end: OffsetDateTime,
    limit: usize,
) -> Result<Vec<Model>, DbErr> {
    let which = "webhook_id = $4 AND state IN ('queued', 'sending') AND due_at <= $1 \
                 ORDER BY due_at, id LIMIT $3";
    let sql = claiming::<Entity>(database.engine(), which);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [
        now.into(),
        lease_end.into(),
        limit.into(),
        receiver.get().into(),
    ];
    let statement = Statement::from_sql_and_values(database.get_database_backend(), sql, values);
    take::<Entity>(database, statement).await
}

/// Writes down where a claimed message stands; no effect if it was claimed anew since, unless it
/// was accepted: whoever holds the claim by now, it is sent.
pub(super) async fn settle(
    transaction: &impl ConnectionTrait,
    claim: &Model,
    standing: Standing,
    status: Option<u16>,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let settle = match standing.state {
        DeliveryState::Sent => Entity::update_many().filter(Column::Id.eq(claim.id)),
        _ => held(claim),
    };
    let row = ActiveModel {
        state: Set(standing.state),
        attempts: Set(standing.attempts),
        due_at: Set(standing.due_at),
        status_code: Set(status.map(i64::from)),
        error: Set(standing.error),
        updated_at: Set(now),
        ..Default::default()
    };
    settle.set(row).exec(transaction).await.map(drop)
}

/// Gives up what waits for one receiver.
pub(in crate::webhooks) async fn cancel_waiting(
    transaction: &impl ConnectionTrait,
    receiver: WebhookId,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    Entity::update_many()
        .set(ActiveModel {
            state: Set(DeliveryState::Cancelled),
            error: Set(Some("disabled".to_owned())),
            updated_at: Set(now),
            ..Default::default()
        })
        .filter(Column::WebhookId.eq(receiver))
        .filter(Column::State.eq(DeliveryState::Queued))
        .exec(transaction)
        .await
        .map(drop)
}

/// One page of what was to be sent to a receiver, newest first, and one row more.
pub(super) async fn list(
    db: &impl ConnectionTrait,
    receiver: WebhookId,
    listing: Listing,
) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find()
        .filter(Column::WebhookId.eq(receiver))
        .order_by_desc(Column::Id);
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

/// Makes a message to this receiver due at once, with all its attempts before it, unless somebody
/// is sending it.
pub(super) async fn requeue(
    transaction: &impl ConnectionTrait,
    receiver: WebhookId,
    id: WebhookDeliveryId,
    now: OffsetDateTime,
) -> Result<Option<Model>, DbErr> {
    let requeued = Entity::update_many()
        .set(ActiveModel {
            state: Set(DeliveryState::Queued),
            attempts: Set(0),
            due_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        })
        .filter(Column::Id.eq(id))
        .filter(Column::WebhookId.eq(receiver))
        .filter(Column::State.ne(DeliveryState::Sending))
        .exec_with_returning(transaction)
        .await?;
    Ok(requeued.into_iter().next())
}

/// Whether there is such a message to this receiver.
pub(super) async fn exists(
    db: &impl ConnectionTrait,
    receiver: WebhookId,
    id: WebhookDeliveryId,
) -> Result<bool, DbErr> {
    let row = Entity::find_by_id(id)
        .filter(Column::WebhookId.eq(receiver))
        .select_only()
        .column(Column::Id)
        .into_tuple::<WebhookDeliveryId>()
        .one(db)
        .await?;
    Ok(row.is_some())
}

/// How many messages wait, and since when the oldest does.
#[derive(Debug, Default, PartialEq, FromQueryResult)]
pub(super) struct Backlog {
    pub(super) pending: i64,
    pub(super) oldest: Option<OffsetDateTime>,
}

/// Counts what is still to be sent, claimed messages included.
pub(super) async fn backlog(db: &impl ConnectionTrait) -> Result<Backlog, DbErr> {
    let backlog = Entity::find()
        .filter(Column::State.is_in(OPEN))
        .select_only()
        .column_as(Column::Id.count(), "pending")
        .column_as(Column::CreatedAt.min(), "oldest")
        .into_model::<Backlog>()
        .one(db)
        .await?;
    Ok(backlog.unwrap_or_default())
}

/// Forgets every message about a person, but for those that say that the account was deleted: by
/// them receivers forget as well.
pub(crate) async fn erase(transaction: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user))
        .filter(Column::Event.ne(EventKind::UserDeleted.as_str()))
        .exec(transaction)
        .await
        .map(drop)
}
