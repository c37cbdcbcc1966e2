//! `POST /stream-tickets`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, NoBody};
use lyceum_contracts::notification::StreamTicket;

use super::{domain, store};
use crate::state::State;

/// Buy a ticket to open one stream without a header
///
/// For browsers: `GET /sse/notifications?ticket=…` or `GET /ws/notifications?ticket=…`. It counts
/// once, for half a minute, and the stream ends when the access token it was bought with does.
#[utoipa::path(
    post,
    path = "/stream-tickets",
    tag = "live",
    responses(
        (status = 201, description = "The ticket, shown this once", body = StreamTicket),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn create_stream_ticket(
    person: CurrentUser,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let ticket = domain::generate();
    let expires_at = clock::now() + domain::LIFETIME;
    let digest = domain::digest(&ticket);
    store::insert(&state.database, digest, person, expires_at).await?;
    Ok(HttpResponse::Created().json(StreamTicket { ticket, expires_at }))
}
