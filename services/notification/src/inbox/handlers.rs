//! The inbox over HTTP.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::{CurrentUser, ServiceCaller};
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Id, NoBody, Query, page};
use lyceum_chassis::openapi::WindowQuery;
use lyceum_contracts::ids::{NotificationId, UserId};
use lyceum_contracts::notification::{Notification, UnreadCount};
use lyceum_contracts::page::Page;

use super::listing::Listing;
use super::store;
use crate::state::State;

/// My notifications, newest first
#[utoipa::path(
    get,
    path = "/notifications",
    tag = "inbox",
    params(
        ("unread" = Option<bool>, Query, description = "`true`: unread ones alone; `false`: read ones alone"),
        WindowQuery,
    ),
    responses(
        (status = 200, description = "One page", body = Page<Notification>),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn list_notifications(
    person: CurrentUser,
    Query(listing): Query<Listing>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let rows = store::list(&state.database, person.id, listing).await?;
    Ok(page(
        &request,
        listing.window,
        rows,
        |row| row.seq,
        Notification::from,
    ))
}

/// How many of my notifications wait to be read
#[utoipa::path(
    get,
    path = "/notifications/unread-count",
    tag = "inbox",
    responses(
        (status = 200, description = "The count", body = UnreadCount),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn count_unread(
    person: CurrentUser,
    state: Data<State>,
) -> Result<Json<UnreadCount>, ApiError> {
    let unread = store::count_unread(&state.database, person.id).await?;
    Ok(Json(UnreadCount { unread }))
}

/// Mark one as read; again changes nothing
#[utoipa::path(
    post,
    path = "/notifications/{id}/read",
    tag = "inbox",
    params(("id" = NotificationId, Path, description = "One of mine")),
    responses(
        (status = 200, description = "It is read, since the time it says", body = Notification),
        (status = 404, description = "There is none, or it is another person's"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn read_notification(
    person: CurrentUser,
    Id(id): Id<NotificationId>,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<Json<Notification>, ApiError> {
    let row = store::mark_read(&state.database, person.id, id, clock::now())
        .await?
        .ok_or_else(ApiError::not_found)?;
    Ok(Json(row.into()))
}

/// Mark all as read
#[utoipa::path(
    post,
    path = "/notifications/read-all",
    tag = "inbox",
    responses(
        (status = 204, description = "None waits to be read"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn read_all_notifications(
    person: CurrentUser,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    store::mark_all_read(&state.database, person.id, clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// How many notifications of a person wait to be read, for another service
#[utoipa::path(
    get,
    path = "/internal/users/{id}/unread-count",
    tag = "internal",
    params(("id" = UserId, Path, description = "Anybody; 0 for whom nothing was ever sent")),
    responses(
        (status = 200, description = "The count", body = UnreadCount),
        (status = 403, description = "A person's token"),
        (status = 404, description = "Not an id"),
    ),
    security(("service_token" = [])),
)]
pub(crate) async fn count_unread_of(
    _service: ServiceCaller,
    Id(user): Id<UserId>,
    state: Data<State>,
) -> Result<Json<UnreadCount>, ApiError> {
    let unread = store::count_unread(&state.database, user).await?;
    Ok(Json(UnreadCount { unread }))
}
