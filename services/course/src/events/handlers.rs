//! `POST /internal/events`, where the outbox of the user service delivers.

use actix_web::web::{Data, Json};
use lyceum_chassis::auth::ServiceCaller;
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Body};
use lyceum_contracts::notification::{EventBatch, EventReceipt};
use lyceum_outbox::intake::{Arrived, Batch, take_in};

use super::commands;
use crate::state::State;

/// Take in what happened elsewhere; an event that was taken in before does nothing
///
/// Events have their effects in the order of the batch. After a failure the sender repeats the whole
/// batch.
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
    Body(events): Body<Batch>,
    state: Data<State>,
) -> Result<Json<EventReceipt>, ApiError> {
    let effect =
        async |arrived: &[Arrived<'_>]| commands::take_in(&state, arrived, clock::now()).await;
    Ok(Json(take_in(&events, commands::together, effect).await?))
}
