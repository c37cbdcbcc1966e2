//! `GET /sse/notifications`.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::http::{ApiError, Fields, FromFields, Query};
use lyceum_chassis::{Lifecycle, clock};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::domain::Start;
use super::store;
use super::stream::Live;
use crate::state::State;

/// What a client that comes back has seen.
#[derive(Debug)]
pub(crate) struct Resume {
    /// For clients that cannot send `Last-Event-ID`; the header wins.
    last_event_id: Option<String>,
}

impl FromFields for Resume {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let last_event_id = fields.optional("last_event_id", Ok::<String, Infallible>)?;
        Some(Self { last_event_id })
    }
}

/// My notifications as they come
///
/// A stream of Server-Sent Events. First `sync`: `recovered` tells whether everything after the
/// `Last-Event-ID` follows; if not, the stream begins at the head. Then each `notification`, its
/// `id` being its place in my sequence. Comments keep an idle stream alive. When the access token
/// ends or is called in, `bye` and the end; when the server stops, the end: come back with `Last-Event-ID`.
#[utoipa::path(
    get,
    path = "/sse/notifications",
    tag = "live",
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "The last `id` seen"),
        ("last_event_id" = Option<String>, Query, description = "The same; the header wins"),
    ),
    responses(
        (status = 200, description = "Events `sync` (`SyncEvent`), `notification` (`Notification`), `bye` (`ByeEvent`)",
            body = String, content_type = "text/event-stream"),
        (status = 429, description = "I have as many streams open as I may"),
        (status = 503, description = "This process holds as many streams as it may"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn stream_notifications(
    person: CurrentUser,
    Query(resume): Query<Resume>,
    state: Data<State>,
    lifecycle: Data<Lifecycle>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let seat = state.hub.join(person.id)?;
    let position = store::position(&state.database, person.id).await?;
    let last_event_id = last_event_id(&request).or(resume.last_event_id);
    let start = Start::after(last_event_id.as_deref(), position.head_seq);
    let live = Live::new(
        &state,
        seat,
        position,
        start,
        until(person.expires_at),
        state.revocations.watch(person),
        lifecycle.stop_token(),
    );
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // nginx buffers an answer until it ends, or until it is told not to.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(live.into_body()))
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
