//! The routes of broadcasts, for admins.

use std::time::Duration;

use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::{Permission, Require};
use lyceum_chassis::clock;
use lyceum_chassis::http::{Answer, ApiError, Body, Id, NoBody, Query, Window, page};
use lyceum_chassis::idempotency::IdempotencyKey;
use lyceum_chassis::openapi::WindowQuery;
use lyceum_contracts::broadcast::{Broadcast, PostBroadcast};
use lyceum_contracts::ids::BroadcastId;
use lyceum_contracts::page::Page;
use lyceum_contracts::role::Role;

use super::requests::NewBroadcast;
use super::{commands, store};
use crate::state::State;

/// When to ask again about one that is still to end: its steps take milliseconds.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// May tell anybody something.
#[derive(Debug)]
pub(crate) struct ManageBroadcasts;

impl Permission for ManageBroadcasts {
    const ROLES: &'static [Role] = &[Role::Admin];
}

/// Tell everybody, the people of a course, or listed people something
///
/// Each of them finds it in the inbox, once. What is answered is not told yet: ask at `Location`
/// how far it is.
#[utoipa::path(
    post,
    path = "/broadcasts",
    tag = "broadcasts",
    params(IdempotencyKey),
    request_body = PostBroadcast,
    responses(
        (status = 202, description = "It is on its way", body = Broadcast,
            headers(("Location" = String, description = "The broadcast"))),
        (status = 403, description = "The caller is not an admin"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn post_broadcast(
    admin: Require<ManageBroadcasts>,
    key: IdempotencyKey,
    Body(new): Body<NewBroadcast>,
    state: Data<State>,
) -> Result<Answer, ApiError> {
    let keyed = key.of(admin.id, &new)?;
    let State {
        broadcasts,
        database,
        ..
    } = &**state;
    let answer = broadcasts.post(database, keyed, admin.id, new, clock::now());
    Ok(answer.await?)
}

/// Broadcasts, newest first
#[utoipa::path(
    get,
    path = "/broadcasts",
    tag = "broadcasts",
    params(WindowQuery),
    responses(
        (status = 200, description = "One page", body = Page<Broadcast>),
        (status = 403, description = "The caller is not an admin"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn list_broadcasts(
    _admin: Require<ManageBroadcasts>,
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
        Broadcast::from,
    ))
}

/// How far a broadcast is
#[utoipa::path(
    get,
    path = "/broadcasts/{id}",
    tag = "broadcasts",
    params(("id" = BroadcastId, Path)),
    responses(
        (status = 200, description = "The broadcast; with Retry-After, ask again", body = Broadcast,
            headers(("Retry-After" = String))),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is none"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn get_broadcast(
    _admin: Require<ManageBroadcasts>,
    Id(id): Id<BroadcastId>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let broadcast = store::find(&state.database, id).await?;
    let broadcast = broadcast.ok_or_else(ApiError::not_found)?;
    let mut answer = HttpResponse::Ok();
    if !broadcast.status.is_final() {
        answer.insert_header((RETRY_AFTER, ASK_AGAIN.as_secs()));
    }
    Ok(answer.json(Broadcast::from(broadcast)))
}

/// End a broadcast after the few people who are being told
///
/// Who was told by then has it in the inbox.
#[utoipa::path(
    delete,
    path = "/broadcasts/{id}",
    tag = "broadcasts",
    params(("id" = BroadcastId, Path)),
    responses(
        (status = 204, description = "It is cancelled"),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is none"),
        (status = 409, description = "It has succeeded or failed already"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn cancel_broadcast(
    admin: Require<ManageBroadcasts>,
    Id(id): Id<BroadcastId>,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    commands::cancel(&state.database, admin.id, id, clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
