//! Writes an event beside the rows it is about.

use lyceum_chassis::clock;
use lyceum_contracts::event::Event;
use lyceum_telemetry::context;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};
use uuid::Uuid;

use crate::entity::waiting;

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
    let row = waiting::ActiveModel {
        id: NotSet,
        event_id: Set(Uuid::now_v7().to_string()),
        kind: Set(event.name().to_owned()),
        payload: Set(payload),
        traceparent: Set(context::traceparent()),
        occurred_at: Set(now),
        available_at: Set(now),
        attempts: Set(0),
    };
    waiting::Entity::insert(row)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}
