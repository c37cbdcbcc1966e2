//! Writes events beside the rows they are about.

use lyceum_chassis::clock;
use lyceum_chassis::database::{Cell, Kind, Rows};
use lyceum_contracts::event::Event;
use lyceum_telemetry::context;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};
use uuid::Uuid;

use crate::entity::waiting;
use crate::peer::Destination;

/// Promises that `event` will be told, if the caller's transaction commits.
///
/// Keeps the trace context of the current span, so that what follows from the event joins the
/// trace of the request that caused it. Call [`Waker::wake`](crate::Waker::wake) after the commit.
///
/// # Errors
/// When the row cannot be written; the caller then gives up its transaction.
pub async fn push(transaction: &impl ConnectionTrait, event: &Event) -> Result<(), DbErr> {
    let now = clock::now();
    let payload = serde_json::to_value(event).map_err(|error| DbErr::Json(error.to_string()))?;
    let event_id = Uuid::now_v7().to_string();
    let rows = Destination::of(event)
        .iter()
        .map(|to| waiting::ActiveModel {
            id: NotSet,
            event_id: Set(event_id.clone()),
            kind: Set(event.name().to_owned()),
            payload: Set(payload.clone()),
            traceparent: Set(context::traceparent()),
            occurred_at: Set(now),
            available_at: Set(now),
            attempts: Set(0),
            destination: Set(to.as_str().to_owned()),
        });
    waiting::Entity::insert_many(rows)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}

/// As [`push`], for many events in one statement; they are told in this order.
///
/// # Errors
/// When the rows cannot be written; the caller then gives up its transaction.
pub async fn push_all(transaction: &impl ConnectionTrait, events: &[Event]) -> Result<(), DbErr> {
    if events.is_empty() {
        return Ok(());
    }
    let mut written = Vec::with_capacity(events.len());
    for event in events {
        let payload =
            serde_json::to_string(event).map_err(|error| DbErr::Json(error.to_string()))?;
        written.push((event, Uuid::now_v7().to_string(), payload));
    }
    let rows = written.iter().flat_map(|(event, event_id, payload)| {
        let row = |to: &Destination| {
            let to = to.as_str();
            [event_id.as_str(), event.name(), payload, to].map(Cell::from)
        };
        Destination::of(event).iter().map(row)
    });
    let columns = [
        ("event_id", Kind::Text),
        ("kind", Kind::Text),
        ("payload", Kind::Json),
        ("destination", Kind::Text),
    ];
    let constants = [context::traceparent().into(), clock::now().into()];
    let backend = transaction.get_database_backend();
    let statement = Rows::new(columns, rows).statement(backend, constants, |rows| {
        format!(
            "INSERT INTO outbox \
             (event_id, kind, payload, traceparent, occurred_at, available_at, attempts, destination) \
             SELECT event_id, kind, payload, $1, $2, $2, 0, destination FROM {rows} ORDER BY place"
        )
    })?;
    transaction.execute_raw(statement).await?;
    Ok(())
}
