//! `POST /internal/events`, where the outboxes of the other services deliver.

use actix_web::web::{Data, Json};
use lyceum_chassis::auth::ServiceCaller;
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Body};
use lyceum_contracts::event::Envelope;
use lyceum_contracts::notification::{EventBatch, EventReceipt};
use lyceum_outbox::intake::{Batch, span_of};
use opentelemetry::trace::Status;
use sea_orm::DbErr;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::commands::{self, Outcome};
use crate::state::State;

/// Take in what happened elsewhere; an event that was taken in before does nothing
///
/// Events have their effects one by one, in the order of the batch. After a failure the sender
/// repeats the whole batch.
#[utoipa::path(
    post,
    path = "/internal/events",
    tag = "internal",
    request_body = EventBatch,
    responses(
        (status = 200, description = "All of them have had their effects", body = EventReceipt),
        (status = 403, description = "A person's token"),
        (status = 422, description = "Every fault of every event; none had an effect"),
        (status = 503, description = "The database is away; the events before it had their effects"),
    ),
    security(("service_token" = [])),
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
        match take_in(&state, envelope)
            .instrument(span_of(envelope))
            .await?
        {
            Outcome::Accepted => receipt.accepted += 1,
            Outcome::Duplicate => receipt.duplicates += 1,
        }
    }
    Ok(Json(receipt))
}

/// Lets the event have its effect and says so, in the trace that caused it.
async fn take_in(state: &State, envelope: &Envelope) -> Result<Outcome, DbErr> {
    let outcome = commands::take_in(state, envelope, clock::now())
        .await
        .inspect_err(|_| {
            // The request's own span is of another trace.
            let span = Span::current();
            span.set_attribute("error.type", "database");
            span.set_status(Status::error(""));
        })?;
    tracing::info!(
        event = "event.taken_in",
        lyceum.event.id = %envelope.event_id,
        lyceum.event.type = envelope.event.name(),
        duplicate = outcome == Outcome::Duplicate,
        "an event was taken in"
    );
    Ok(outcome)
}
