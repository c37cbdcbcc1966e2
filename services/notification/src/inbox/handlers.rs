//! The inbox over HTTP.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::{CurrentUser, ServiceCaller};
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Id, NoBody, OptionalBody, Query, page};
use lyceum_chassis::openapi::WindowQuery;
use lyceum_contracts::ids::{NotificationId, UserId};
use lyceum_contracts::notification::{Notification, UnreadCount};
use lyceum_contracts::page::Page;

use super::commands::{self, Deletion};
use super::domain::Action;
use super::listing::{Listing, ListingQuery};
use super::requests::ReadAll;
use super::store;
use crate::state::State;

/// The notifications in my inbox, or those I have put away, newest first
#[utoipa::path(
    get,
    path = "/notifications",
    tag = "inbox",
    params(
        ListingQuery,
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
    let rows = store::list(&state.database, person.id, listing, clock::now()).await?;
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
        (status = 200, description = "The count, 99 at most", body = UnreadCount),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn count_unread(
    person: CurrentUser,
    state: Data<State>,
) -> Result<Json<UnreadCount>, ApiError> {
    let count = store::count_unread(&state.database, person.id, clock::now()).await?;
    Ok(Json(count))
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
    act(&state, person, id, Action::Read).await
}

/// Mark one as unread, back in the inbox if it was put away; again changes nothing
#[utoipa::path(
    post,
    path = "/notifications/{id}/unread",
    tag = "inbox",
    params(("id" = NotificationId, Path, description = "One of mine")),
    responses(
        (status = 200, description = "It waits to be read", body = Notification),
        (status = 404, description = "There is none, or it is another person's"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn unread_notification(
    person: CurrentUser,
    Id(id): Id<NotificationId>,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<Json<Notification>, ApiError> {
    act(&state, person, id, Action::Unread).await
}

/// Put one away, out of the inbox, which also reads it; again changes nothing
#[utoipa::path(
    post,
    path = "/notifications/{id}/archive",
    tag = "inbox",
    params(("id" = NotificationId, Path, description = "One of mine")),
    responses(
        (status = 200, description = "It is put away, since the time it says", body = Notification),
        (status = 404, description = "There is none, or it is another person's"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn archive_notification(
    person: CurrentUser,
    Id(id): Id<NotificationId>,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<Json<Notification>, ApiError> {
    act(&state, person, id, Action::Archive).await
}

/// Put one back into the inbox, as read; again changes nothing
#[utoipa::path(
    post,
    path = "/notifications/{id}/unarchive",
    tag = "inbox",
    params(("id" = NotificationId, Path, description = "One of mine")),
    responses(
        (status = 200, description = "It is in the inbox", body = Notification),
        (status = 404, description = "There is none, or it is another person's"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn unarchive_notification(
    person: CurrentUser,
    Id(id): Id<NotificationId>,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<Json<Notification>, ApiError> {
    act(&state, person, id, Action::Unarchive).await
}

async fn act(
    state: &State,
    person: CurrentUser,
    id: NotificationId,
    action: Action,
) -> Result<Json<Notification>, ApiError> {
    let done = commands::act(state, person.id, id, action, clock::now()).await?;
    done.map(Json).ok_or_else(ApiError::not_found)
}

/// Delete one; again changes nothing
#[utoipa::path(
    delete,
    path = "/notifications/{id}",
    tag = "inbox",
    params(("id" = NotificationId, Path, description = "One of mine")),
    responses(
        (status = 204, description = "It is gone, now or since before"),
        (status = 404, description = "There was none, or it is another person's"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn delete_notification(
    person: CurrentUser,
    Id(id): Id<NotificationId>,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    match commands::delete(&state, person.id, id, clock::now()).await? {
        Deletion::Gone => Ok(HttpResponse::NoContent().finish()),
        Deletion::Unknown => Err(ApiError::not_found()),
    }
}

/// Mark as read all in the inbox up to a place, or all there are
///
/// `up_to` is the `seq` of the newest one that was seen: what has come since stays unread.
#[utoipa::path(
    post,
    path = "/notifications/read-all",
    tag = "inbox",
    request_body = Option<ReadAll>,
    responses(
        (status = 204, description = "None of them waits to be read"),
        (status = 422, description = "The body has a fault, or the place is beyond my sequence"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn read_all_notifications(
    person: CurrentUser,
    OptionalBody(ReadAll { up_to }): OptionalBody<ReadAll>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    commands::read_all(&state, person.id, up_to, clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// How many notifications of a person wait to be read, for another service
#[utoipa::path(
    get,
    path = "/internal/users/{id}/unread-count",
    tag = "internal",
    params(("id" = UserId, Path, description = "Anybody; 0 for whom nothing was ever sent")),
    responses(
        (status = 200, description = "The count, 99 at most", body = UnreadCount),
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
    let count = store::count_unread(&state.database, user, clock::now()).await?;
    Ok(Json(count))
}
