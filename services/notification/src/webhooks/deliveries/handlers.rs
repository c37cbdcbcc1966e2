//! The log of a receiver over HTTP, for admins.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::Require;
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Id, NoBody, Query, page};
use lyceum_chassis::openapi::WindowQuery;
use lyceum_contracts::delivery::DeliveryState;
use lyceum_contracts::ids::{WebhookDeliveryId, WebhookId};
use lyceum_contracts::page::Page;
use lyceum_contracts::webhook::WebhookDelivery;

use super::{commands, store};
use crate::mail::Listing;
use crate::state::State;
use crate::webhooks::handlers::ManageWebhooks;
use crate::webhooks::store as receivers;

/// What was sent to a receiver, or is to be, newest first
#[utoipa::path(
    get,
    path = "/webhooks/{id}/deliveries",
    tag = "webhooks",
    params(
        ("id" = WebhookId, Path),
        ("state" = Option<DeliveryState>, Query, description = "Those in this state alone; `dead` are those that were given up"),
        WindowQuery,
    ),
    responses(
        (status = 200, description = "One page", body = Page<WebhookDelivery>),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is no such webhook"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn list_webhook_deliveries(
    _admin: Require<ManageWebhooks>,
    Id(receiver): Id<WebhookId>,
    Query(listing): Query<Listing>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let webhook = receivers::find(&state.database, receiver).await?;
    webhook.ok_or_else(ApiError::not_found)?;
    let rows = store::list(&state.database, receiver, listing).await?;
    Ok(page(
        &request,
        listing.window,
        rows,
        |row| row.id.get(),
        WebhookDelivery::from,
    ))
}

/// Send a message again at once, whatever became of it
///
/// It has the `webhook-id` it had, and all its attempts before it.
#[utoipa::path(
    post,
    path = "/webhooks/{id}/deliveries/{delivery}/resend",
    tag = "webhooks",
    params(("id" = WebhookId, Path), ("delivery" = WebhookDeliveryId, Path)),
    responses(
        (status = 200, description = "It is queued", body = WebhookDelivery),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is no such message to this webhook, or it is forgotten"),
        (status = 409, description = "It is being sent, or the webhook is disabled"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn resend_webhook_delivery(
    _admin: Require<ManageWebhooks>,
    Id(receiver): Id<WebhookId>,
    path: Path<(String, String)>,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<Json<WebhookDelivery>, ApiError> {
    let id = path.1.parse().map_err(|_| ApiError::not_found())?;
    let now = clock::now();
    let message = commands::resend(&state.database, &state.webhooks, receiver, id, now).await?;
    Ok(Json(message.into()))
}
