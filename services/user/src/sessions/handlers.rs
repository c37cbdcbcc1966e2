//! The routes of sessions.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::{CurrentUser, Permission, Require};
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Body, Id, Query, Window, page};
use lyceum_chassis::openapi::WindowQuery;
use lyceum_contracts::ids::{SessionId, UserId};
use lyceum_contracts::page::Page;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{Credentials, OpenSession, RefreshSession, Session};
use time::OffsetDateTime;

use super::commands::Continued;
use super::commands::{self, RefreshError};
use super::ending::{self, Found};
use super::requests::{Login, Presented, user_agent};
use super::store;
use crate::accounts;
use crate::entity::session;
use crate::state::State;

/// Signs in.
#[utoipa::path(
    post, path = "/auth/login", tag = "sessions", request_body = Credentials,
    responses(
        (status = 200, description = "The session", body = Session),
        (status = 401, description = "E-mail address or password is wrong"),
        (status = 429, description = "Too many from this address, or for this account",
            headers(("RateLimit" = String))),
        (status = 503, description = "Too many passwords are being hashed; see Retry-After"),
    ),
)]
pub(crate) async fn open_session(
    Body(login): Body<Login>,
    request: HttpRequest,
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
    let agent = user_agent(&request);
    let opened = commands::open_session(&state.database, state.sessions, user, agent, now).await?;
    if opened.crowded {
        state.revocations.catch_up().await;
    }
    answer(&state, &opened.session, now)
}

/// Goes on with a session: the token is spent, the answer holds the next one.
///
/// When the answer does not arrive, the same token may be presented again for 10 s. After that, or
/// once one of its successors was used, it ends the session: two hands hold it.
#[utoipa::path(
    post, path = "/auth/refresh", tag = "sessions", request_body = RefreshSession,
    responses(
        (status = 200, description = "The session", body = Session),
        (status = 401, description = "The session has ended"),
    ),
)]
pub(crate) async fn refresh_session(
    Body(Presented(token)): Body<Presented>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let now = clock::now();
    let continued = commands::refresh_session(&state.database, state.sessions, &token, now).await;
    if matches!(continued, Err(RefreshError::Ended)) {
        // It may have ended by this.
        state.revocations.catch_up().await;
    }
    let continued = continued?;
    answer(&state, &continued, now)
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
    ending::end_session(&state.database, &token, clock::now()).await?;
    state.revocations.catch_up().await;
    Ok(HttpResponse::NoContent().finish())
}

/// The caller's sessions, newest first: those that have neither ended nor expired.
///
/// `last_seen_at` is the login or the last refresh: other requests leave no mark, so it may be as
/// old as an access token can get, 15 min.
#[utoipa::path(
    get, path = "/sessions", tag = "sessions", security(("access_token" = [])),
    params(WindowQuery),
    responses((status = 200, description = "One page", body = Page<OpenSession>,
        headers(("Link" = String)))),
)]
pub(crate) async fn list_sessions(
    caller: CurrentUser,
    Query(window): Query<Window>,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    sessions_of(&request, &state, &caller, caller.id, window).await
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
    ending::end_everywhere(&state.database, caller.id, caller.id, clock::now()).await?;
    state.revocations.catch_up().await;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends one of the caller's sessions, on a lost phone for instance.
#[utoipa::path(
    delete, path = "/sessions/{id}", tag = "sessions", security(("access_token" = [])),
    params(("id" = SessionId, Path)),
    responses(
        (status = 204, description = "The session has ended"),
        (status = 404, description = "There is no such session, it is over, or it is somebody else's"),
    ),
)]
pub(crate) async fn end_own_session(
    caller: CurrentUser,
    Id(id): Id<SessionId>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    match ending::end_own_session(&state.database, caller.id, id, clock::now()).await? {
        Found::Ended => {
            state.revocations.catch_up().await;
            Ok(HttpResponse::NoContent().finish())
        }
        Found::NoSuchSession => Err(ApiError::not_found()),
    }
}

/// May see and end anybody's sessions.
#[derive(Debug)]
pub(crate) struct ManageSessions;

impl Permission for ManageSessions {
    const ROLES: &'static [Role] = &[Role::Admin];
}

/// Somebody's sessions, newest first: those that have neither ended nor expired.
#[utoipa::path(
    get, path = "/users/{id}/sessions", tag = "sessions", security(("access_token" = [])),
    params(("id" = UserId, Path), WindowQuery),
    responses(
        (status = 200, description = "One page", body = Page<OpenSession>,
            headers(("Link" = String))),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is no such account"),
    ),
)]
pub(crate) async fn list_user_sessions(
    caller: Require<ManageSessions>,
    Id(id): Id<UserId>,
    Query(window): Query<Window>,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    find_account(&state, id).await?;
    sessions_of(&request, &state, &caller, id, window).await
}

/// Signs somebody out everywhere.
#[utoipa::path(
    delete, path = "/users/{id}/sessions", tag = "sessions", security(("access_token" = [])),
    params(("id" = UserId, Path)),
    responses(
        (status = 204, description = "None of their sessions is left"),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is no such account"),
    ),
)]
pub(crate) async fn end_user_sessions(
    caller: Require<ManageSessions>,
    Id(id): Id<UserId>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    find_account(&state, id).await?;
    ending::end_everywhere(&state.database, caller.id, id, clock::now()).await?;
    state.revocations.catch_up().await;
    Ok(HttpResponse::NoContent().finish())
}

async fn find_account(state: &State, id: UserId) -> Result<(), ApiError> {
    let account = accounts::store::find_visible(&state.database, id).await?;
    account.map(drop).ok_or_else(ApiError::not_found)
}

async fn sessions_of(
    request: &HttpRequest,
    state: &State,
    caller: &CurrentUser,
    user: UserId,
    window: Window,
) -> Result<HttpResponse, ApiError> {
    let rows = store::list_live(&state.database, user, window, clock::now()).await?;
    let view = |session: session::Model| OpenSession {
        id: session.id,
        user_agent: session.user_agent,
        opened_at: session.opened_at,
        last_seen_at: session.last_seen_at,
        current: session.id.get() == caller.session_id,
    };
    Ok(page(request, window, rows, |row| row.id.get(), view))
}

fn answer(
    state: &State,
    continued: &Continued,
    now: OffsetDateTime,
) -> Result<HttpResponse, ApiError> {
    let access_token = state
        .issuer
        .issue(&continued.user, continued.session.get(), now)
        .map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok().json(Session {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in: state.issuer.lifetime().as_secs(),
        refresh_token: continued.token.expose().to_owned(),
    }))
}
