//! Receivers over HTTP, for admins.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::{CurrentUser, Permission, Require};
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Body, Id, NoBody, Query, Window, page};
use lyceum_chassis::openapi::WindowQuery;
use lyceum_contracts::ids::WebhookId;
use lyceum_contracts::page::Page;
use lyceum_contracts::role::Role;
use lyceum_contracts::webhook::{CreateWebhook, UpdateWebhook, Webhook, WebhookWithSecret};

use super::commands;
use super::requests::{Patch, Registration};
use super::store;
use crate::entity::webhook::Model;
use crate::state::State;

/// May decide who is told what happens on the platform, to anybody.
#[derive(Debug)]
pub(crate) struct ManageWebhooks;

impl Permission for ManageWebhooks {
    const ROLES: &'static [Role] = &[Role::Admin];
}

/// Register a receiver of events
///
/// Messages go to its address, signed as the Standard Webhooks have it: check `webhook-signature`
/// with the secret that this answer shows, once. A message may come more than once, with the same
/// `webhook-id` each time, and not in order. Whatever is not answered 2xx is sent again, redirects
/// are not followed, and 410 disables the webhook.
#[utoipa::path(
    post,
    path = "/webhooks",
    tag = "webhooks",
    request_body = CreateWebhook,
    responses(
        (status = 201, description = "It is told of what happens from now on", body = WebhookWithSecret,
            headers(("Location" = String, description = "The webhook"))),
        (status = 403, description = "The caller is not an admin"),
        (status = 409, description = "There are as many as may be"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn create_webhook(
    admin: Require<ManageWebhooks>,
    Body(new): Body<Registration>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let webhook = state
        .webhooks
        .register(&state.database, new, clock::now())
        .await?;
    tell(&admin, webhook.id, "registered");
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/webhooks/{}", webhook.id)))
        .json(with_secret(webhook)))
}

/// Receivers, newest first
#[utoipa::path(
    get,
    path = "/webhooks",
    tag = "webhooks",
    params(WindowQuery),
    responses(
        (status = 200, description = "One page", body = Page<Webhook>),
        (status = 403, description = "The caller is not an admin"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn list_webhooks(
    _admin: Require<ManageWebhooks>,
    Query(window): Query<Window>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let rows = store::list(&state.database, window).await?;
    Ok(page(
        &request,
        window,
        rows,
        |row| row.id.get(),
        Webhook::from,
    ))
}

/// One receiver
#[utoipa::path(
    get,
    path = "/webhooks/{id}",
    tag = "webhooks",
    params(("id" = WebhookId, Path)),
    responses(
        (status = 200, description = "All but its secret", body = Webhook),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is none"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn get_webhook(
    _admin: Require<ManageWebhooks>,
    Id(id): Id<WebhookId>,
    state: Data<State>,
) -> Result<Json<Webhook>, ApiError> {
    let webhook = store::find(&state.database, id).await?;
    Ok(Json(webhook.ok_or_else(ApiError::not_found)?.into()))
}

/// Change a receiver, or enable it again
///
/// One that is enabled is told of what happens from then on. What waited for one that is disabled
/// is cancelled, and can be sent again from its log.
#[utoipa::path(
    patch,
    path = "/webhooks/{id}",
    tag = "webhooks",
    params(("id" = WebhookId, Path)),
    request_body = UpdateWebhook,
    responses(
        (status = 200, description = "As it is from now on", body = Webhook),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is none"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn update_webhook(
    admin: Require<ManageWebhooks>,
    Id(id): Id<WebhookId>,
    Body(patch): Body<Patch>,
    state: Data<State>,
) -> Result<Json<Webhook>, ApiError> {
    let webhook = state
        .webhooks
        .change(&state.database, id, patch, clock::now())
        .await?;
    tell(&admin, id, "changed");
    Ok(Json(webhook.into()))
}

/// Forget a receiver, with its log and all that was to be sent to it
#[utoipa::path(
    delete,
    path = "/webhooks/{id}",
    tag = "webhooks",
    params(("id" = WebhookId, Path)),
    responses(
        (status = 204, description = "It is told of nothing any more"),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is none"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn delete_webhook(
    admin: Require<ManageWebhooks>,
    Id(id): Id<WebhookId>,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    commands::remove(&state.database, id).await?;
    tell(&admin, id, "deleted");
    Ok(HttpResponse::NoContent().finish())
}

/// Give a receiver a new secret
///
/// Until `old_secret_until` messages are signed with both, so that the receiver can change over
/// without missing one.
#[utoipa::path(
    post,
    path = "/webhooks/{id}/secret",
    tag = "webhooks",
    params(("id" = WebhookId, Path)),
    responses(
        (status = 200, description = "The new secret, shown this once", body = WebhookWithSecret),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is none"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn rotate_webhook_secret(
    admin: Require<ManageWebhooks>,
    Id(id): Id<WebhookId>,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<Json<WebhookWithSecret>, ApiError> {
    let webhook = state
        .webhooks
        .rotate(&state.database, id, clock::now())
        .await?;
    tell(&admin, id, "rotated");
    Ok(Json(with_secret(webhook)))
}

fn with_secret(webhook: Model) -> WebhookWithSecret {
    WebhookWithSecret {
        secret: webhook.secret.clone().reveal(),
        webhook: webhook.into(),
    }
}

/// Who has done what: a webhook carries what happens to anybody out of the platform.
fn tell(admin: &CurrentUser, id: WebhookId, change: &'static str) {
    tracing::info!(
        event = "webhook.changed",
        webhook.id = id.get(),
        user.id = admin.id.get(),
        change,
        "an admin has decided about a webhook"
    );
}
