//! `GET /sse/courses/{id}` and `GET /ws/courses/{id}`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::Lifecycle;
use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::http::{ApiError, Id, Query};
use lyceum_chassis::server::Inbound;
use lyceum_contracts::ids::CourseId;
use lyceum_contracts::live::Transport;

use crate::live::handlers::{Resume, Ticket, shake_hands, socket, stream};
use crate::live::hub::Seat;
use crate::live::tickets::Listener;
use crate::state::State;

/// What happens in a course, as it comes
///
/// For those who hold a place in it, teach it, or are admins. A stream of Server-Sent Events, as
/// that of my notifications, with the course's own sequence: `sync`, without a count of unread
/// ones, then each `news`, its `id` being its place. When I am in the course no more, `bye` and
/// the end.
#[utoipa::path(
    get,
    path = "/sse/courses/{id}",
    tag = "live",
    params(
        ("id" = CourseId, Path, description = "The course"),
        ("Last-Event-ID" = Option<String>, Header, description = "The last `id` seen"),
        ("last_event_id" = Option<String>, Query, description = "The same; the header wins"),
        ("ticket" = Option<String>, Query, description = "Of `POST /stream-tickets`, in place of the header"),
    ),
    responses(
        (status = 200, description = "Events `sync` (`SyncEvent`), `news` (`CourseNews`), `bye` (`ByeEvent`)",
            body = String, content_type = "text/event-stream"),
        (status = 403, description = "I am not in the course; or a page of another origin"),
        (status = 404, description = "There is no such course, or not for me"),
        (status = 429, description = "I have as many streams open as I may"),
        (status = 503, description = "The course service cannot be asked; or this process holds as many streams as it may"),
    ),
    security(("access_token" = []), ()),
)]
pub(crate) async fn stream_course(
    Listener(person): Listener,
    Id(course): Id<CourseId>,
    Query(resume): Query<Resume>,
    state: Data<State>,
    lifecycle: Data<Lifecycle>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let seat = seat(&state, course, &person, Transport::Sse).await?;
    stream(&state, &lifecycle, person, seat, &request, resume).await
}

/// What happens in a course, as it comes, on a WebSocket
///
/// For those who hold a place in it, teach it, or are admins. The protocol is that of my
/// notifications, with the course's own sequence: `welcome`, without a count of unread ones, then
/// each `news`, a `CourseNews` with its `type`.
#[utoipa::path(
    get,
    path = "/ws/courses/{id}",
    tag = "live",
    params(
        ("id" = CourseId, Path, description = "The course"),
        ("ticket" = Option<String>, Query, description = "Of `POST /stream-tickets`, in place of the header"),
    ),
    responses(
        (status = 101, description = "The WebSocket is open"),
        (status = 400, description = "Not a handshake of a WebSocket, version 13"),
        (status = 403, description = "I am not in the course; or a page of another origin"),
        (status = 404, description = "There is no such course, or not for me"),
        (status = 429, description = "I have as many streams open as I may"),
        (status = 503, description = "The course service cannot be asked; or this process holds as many streams as it may"),
    ),
    security(("access_token" = []), ()),
)]
pub(crate) async fn open_course_socket(
    Listener(person): Listener,
    Id(course): Id<CourseId>,
    Query(Ticket): Query<Ticket>,
    state: Data<State>,
    lifecycle: Data<Lifecycle>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let answer = shake_hands(&request)?;
    let seat = seat(&state, course, &person, Transport::Websocket).await?;
    let inbound = Inbound::new(&request, payload);
    socket(&state, &lifecycle, person, seat, answer, inbound)
}

/// A seat for somebody who may listen.
async fn seat(
    state: &State,
    course: CourseId,
    person: &CurrentUser,
    transport: Transport,
) -> Result<Seat, ApiError> {
    let listener = (person.id, person.role);
    state.members.admit(course, listener).await?;
    Ok(state.hub.join_course(course, listener, transport)?)
}
