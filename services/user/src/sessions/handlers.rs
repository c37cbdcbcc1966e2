//! The routes of sessions.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Body};
use lyceum_contracts::ids::SessionId;
use lyceum_contracts::user::{Credentials, RefreshSession, Session};
use time::OffsetDateTime;

use super::EndReason;
use super::commands;
use super::domain::{Login, Presented, RefreshToken};
use crate::entity::user;
use crate::state::State;

/// Keys may be kept for as long as the services keep them, five minutes.
const KEYS_MAX_AGE: &str = "public, max-age=300";

/// Signs in.
#[utoipa::path(
    post, path = "/auth/login", tag = "sessions", request_body = Credentials,
    responses(
        (status = 200, description = "The session", body = Session),
        (status = 401, description = "E-mail address or password is wrong"),
        (status = 429, description = "Too many from this address, or for this account"),
        (status = 503, description = "Too many passwords are being hashed; see Retry-After"),
    ),
)]
pub(crate) async fn open_session(
    Body(login): Body<Login>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let of_account = &state.limits.login_per_account;
    if let Some(email) = &login.email {
        // Before the password is hashed: guesses that come all at once count as well.
        of_account.admit(&email.folded())?;
    }
    let user = commands::authenticate(&state.database, &state.hasher, login, clock::now()).await?;
    of_account.forgive(&user.email_folded);
    let now = clock::now();
    let (session, token) =
        commands::open_session(&state.database, &user, state.session_lifetime, now).await?;
    answer(&state, &user, session, &token, now)
}

/// Goes on with a session: the token is spent, the answer holds the next one.
#[utoipa::path(
    post, path = "/auth/refresh", tag = "sessions", request_body = RefreshSession,
    responses(
        (status = 200, description = "The session", body = Session),
        (status = 401, description = "The session has ended; a spent token ends it"),
    ),
)]
pub(crate) async fn refresh_session(
    Body(Presented(token)): Body<Presented>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let now = clock::now();
    let (user, session, successor) =
        commands::refresh_session(&state.database, &token, now).await?;
    answer(&state, &user, session, &successor, now)
}

/// Signs out. A session that has ended already, or never was, is as good.
#[utoipa::path(
    post, path = "/auth/logout", tag = "sessions", request_body = RefreshSession,
    responses((status = 204, description = "The session has ended")),
)]
pub(crate) async fn end_session(
    Body(Presented(token)): Body<Presented>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    commands::end_session(&state.database, &token, clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Signs out everywhere: ends all of the caller's sessions, the one that asks included.
#[utoipa::path(
    delete, path = "/sessions", tag = "sessions", security(("access_token" = [])),
    responses((status = 204, description = "None of the caller's sessions is left")),
)]
pub(crate) async fn end_sessions(
    caller: CurrentUser,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let reason = EndReason::Owner;
    commands::end_everywhere(&state.database, caller.id, reason, clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The keys access tokens are verified with (RFC 7517).
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "sessions",
    responses((status = 200, description = "The keys", body = Object,
        headers(("Cache-Control" = String)))),
)]
pub(crate) async fn get_jwks(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, KEYS_MAX_AGE))
        .json(state.issuer.public_keys())
}

fn answer(
    state: &State,
    user: &user::Model,
    session: SessionId,
    token: &RefreshToken,
    now: OffsetDateTime,
) -> Result<HttpResponse, ApiError> {
    let access_token = state
        .issuer
        .issue(user, session.get(), now)
        .map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok().json(Session {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in: state.issuer.lifetime().as_secs(),
        refresh_token: token.expose().to_owned(),
    }))
}
