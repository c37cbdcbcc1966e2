//! `GET /sse/notifications` and `GET /ws/notifications`.

use std::convert::Infallible;
use std::time::Duration;

use actix_http::ResponseBuilder;
use actix_http::body::{BodyStream, MessageBody};
use actix_http::ws::{self, HandshakeError};
use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::http::{ApiError, Fields, FromFields, Query};
use lyceum_chassis::server::{Inbound, last};
use lyceum_chassis::{Lifecycle, clock};
use lyceum_contracts::live::Transport;
use lyceum_contracts::problem::ProblemKind;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::domain::Start;
use super::ending::{Ending, Endings};
use super::hub::Seat;
use super::socket::Connection;
use super::store;
use super::stream::Live;
use super::tickets::Listener;
use crate::state::State;

/// What a client that comes back has seen.
#[derive(Debug)]
pub(crate) struct Resume {
    /// For clients that cannot send `Last-Event-ID`; the header wins.
    last_event_id: Option<String>,
}

impl FromFields for Resume {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let last_event_id = fields.optional("last_event_id", Ok::<String, Infallible>);
        let ticket = Ticket::from_fields(fields);
        ticket.and(last_event_id.map(|last_event_id| Self { last_event_id }))
    }
}

/// A query that may hold a ticket, which [`Listener`] has read.
#[derive(Debug)]
pub(crate) struct Ticket;

impl FromFields for Ticket {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let ticket = fields.optional("ticket", Ok::<String, Infallible>);
        ticket.map(|_| Self)
    }
}

/// My notifications as they come
///
/// A stream of Server-Sent Events. First `sync`: `recovered` tells whether everything after the
/// `Last-Event-ID` follows; if not, the stream begins at the head. Then each `notification`, and
/// each `change` of what I have, its `id` being its place in my sequence. Comments keep an idle stream alive. When the access token
/// ends or is called in, `bye` and the end; when the server stops, the end: come back with `Last-Event-ID`.
#[utoipa::path(
    get,
    path = "/sse/notifications",
    tag = "live",
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "The last `id` seen"),
        ("last_event_id" = Option<String>, Query, description = "The same; the header wins"),
        ("ticket" = Option<String>, Query, description = "Of `POST /stream-tickets`, in place of the header"),
    ),
    responses(
        (status = 200, description = "Events `sync` (`SyncEvent`), `notification` (`Notification`), `change` (`NotificationChange`), `bye` (`ByeEvent`)",
            body = String, content_type = "text/event-stream"),
        (status = 403, description = "A page of another origin"),
        (status = 429, description = "I have as many streams open as I may"),
        (status = 503, description = "This process holds as many streams as it may"),
    ),
    security(("access_token" = []), ()),
)]
pub(crate) async fn stream_notifications(
    Listener(person): Listener,
    Query(resume): Query<Resume>,
    state: Data<State>,
    lifecycle: Data<Lifecycle>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let seat = state.hub.join(person.id, Transport::Sse)?;
    stream(&state, &lifecycle, person, seat, &request, resume).await
}

/// The answer that is a stream of Server-Sent Events.
pub(super) async fn stream(
    state: &State,
    lifecycle: &Lifecycle,
    person: CurrentUser,
    seat: Seat,
    request: &HttpRequest,
    resume: Resume,
) -> Result<HttpResponse, ApiError> {
    let position = store::position(&state.database, seat.topic(), clock::now()).await?;
    let position = position.ok_or_else(ApiError::not_found)?;
    let last_event_id = last_event_id(request).or(resume.last_event_id);
    let start = Start::after(last_event_id.as_deref(), &position);
    let ending = ending(state, lifecycle, person, &seat);
    let live = Live::new(state, seat, position, start, ending);
    let answer = HttpResponse::Ok()
        .content_type("text/event-stream; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // nginx buffers an answer until it ends, or until it is told not to.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(live.into_body());
    Ok(last(answer))
}

/// My notifications as they come, on a WebSocket
///
/// Text frames of JSON. Say `hello` with the last place seen (`ClientMessage`); `welcome`
/// (`ServerMessage`) tells whether everything after it follows. Then each `notification` and each
/// `change`, a `Notification` or `NotificationChange` with its `type`. Answer pings, or say `ack` with the last place seen: no more
/// than 128 are sent unanswered. Close codes below 4500 mean come back; the README lists them all.
#[utoipa::path(
    get,
    path = "/ws/notifications",
    tag = "live",
    params(
        ("ticket" = Option<String>, Query, description = "Of `POST /stream-tickets`, in place of the header"),
    ),
    responses(
        (status = 101, description = "The WebSocket is open"),
        (status = 400, description = "Not a handshake of a WebSocket, version 13"),
        (status = 403, description = "A page of another origin"),
        (status = 429, description = "I have as many streams open as I may"),
        (status = 503, description = "This process holds as many streams as it may"),
    ),
    security(("access_token" = []), ()),
)]
pub(crate) async fn open_socket(
    Listener(person): Listener,
    Query(Ticket): Query<Ticket>,
    state: Data<State>,
    lifecycle: Data<Lifecycle>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let answer = shake_hands(&request)?;
    let seat = state.hub.join(person.id, Transport::Websocket)?;
    let inbound = Inbound::new(&request, payload);
    socket(&state, &lifecycle, person, seat, answer, inbound)
}

/// The beginning of the answer to a handshake.
pub(super) fn shake_hands(request: &HttpRequest) -> Result<ResponseBuilder, ApiError> {
    ws::handshake(request.head()).map_err(not_a_handshake)
}

/// The answer that is a WebSocket.
pub(super) fn socket(
    state: &State,
    lifecycle: &Lifecycle,
    person: CurrentUser,
    seat: Seat,
    mut answer: ResponseBuilder,
    inbound: Inbound,
) -> Result<HttpResponse, ApiError> {
    let ending = ending(state, lifecycle, person, &seat);
    let connection = Connection::new(State::clone(state), seat, ending, inbound);
    let answer = answer
        .message_body(BodyStream::new(connection.into_body()).boxed())
        .map_err(|_| ApiError::of(ProblemKind::InternalError))?;
    Ok(last(answer.into()))
}

fn not_a_handshake(error: HandshakeError) -> ApiError {
    ApiError::of(ProblemKind::MalformedRequest).detail(format!("no handshake: {error}"))
}

fn ending(state: &State, lifecycle: &Lifecycle, person: CurrentUser, seat: &Seat) -> Ending {
    Ending::of(Endings {
        stopping: lifecycle.stop_token(),
        token_expires: until(person.expires_at),
        token: state.revocations.watch(person),
        stay: seat.stay(),
    })
}

/// A header that is no text is still there, and names no place.
fn last_event_id(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get("last-event-id")?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// A moment of the calendar as one of the timer; one that is over is now.
fn until(moment: OffsetDateTime) -> Instant {
    let left = Duration::try_from(moment - clock::now()).unwrap_or_default();
    Instant::now() + left
}
