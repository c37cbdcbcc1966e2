//! `POST /internal/events`, where the outbox of the user service delivers.

use actix_web::web::{Data, Json};
use lyceum_chassis::auth::ServiceCaller;
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Body};
use lyceum_contracts::event::Envelope;
use lyceum_contracts::notification::{EventBatch, EventReceipt};
use lyceum_outbox::intake::{Batch, span_of};
use sea_orm::DbErr;
use tracing::Instrument;

use super::commands::{self, Outcome};
use crate::state::State;

/// Take in what happened elsewhere; an event that was taken in before does nothing
///
/// Events have their effects one by one, in the order of the batch. After a failure the sender
/// repeats the whole batch.
#[utoipa::path(
    post, path = "/internal/events", tag = "internal",
    security(("service_token" = [])), request_body = EventBatch,
    responses(
        (status = 200, description = "All of them have had their effects", body = EventReceipt),
        (status = 403, description = "A person's token"),
        (status = 422, description = "Every fault of every event; none had an effect"),
        (status = 503, description = "The database is away; the events before it had their effects"),
    ),
)]
pub(crate) async fn receive_events(
    _service: ServiceCaller,
    Body(Batch(events)): Body<Batch>,
    state: Data<State>,
) -> Result<Json<EventReceipt>, ApiError> {
    let mut receipt = EventReceipt {
        accepted: 0,
        duplicates: 0,
    };
    for envelope in &events {
        let outcome = take_in(&state, envelope).instrument(span_of(envelope));
        match outcome.await? {
            Outcome::Accepted => receipt.accepted += 1,
            Outcome::Duplicate => receipt.duplicates += 1,
        }
    }
    Ok(Json(receipt))
}

async fn take_in(state: &State, envelope: &Envelope) -> Result<Outcome, DbErr> {
    let outcome = commands::take_in(state, envelope, clock::now()).await?;
    tracing::info!(
        event = "event.taken_in",
        lyceum.event.id = %envelope.event_id,
        lyceum.event.type = envelope.event.name(),
        duplicate = outcome == Outcome::Duplicate,
        "an event was taken in"
    );
    Ok(outcome)
}
