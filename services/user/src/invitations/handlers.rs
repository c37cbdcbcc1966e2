//! The route of invitations.

use actix_web::HttpResponse;
use actix_web::web::Data;
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Body};
use lyceum_contracts::mailed_link::AcceptInvitation;

use super::commands;
use super::requests::Acceptance;
use crate::state::State;

/// Chooses the first password of an invited account; signing in is the next step.
#[utoipa::path(
    post, path = "/auth/accept-invitation", tag = "accounts", request_body = AcceptInvitation,
    responses(
        (status = 204, description = "The account may be signed in to"),
        (status = 429, description = "Too many from this address", headers(("RateLimit" = String))),
        (status = 410, description = "The link was followed, is older than seven days, or never was one"),
        (status = 503, description = "Too many passwords are being hashed; see Retry-After"),
    ),
)]
pub(crate) async fn accept_invitation(
    Body(acceptance): Body<Acceptance>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let State {
        database,
        hasher,
        outbox,
        ..
    } = state.get_ref();
    commands::accept_invitation(database, hasher, outbox, acceptance, clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
