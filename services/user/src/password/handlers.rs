//! The routes of passwords.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Body};
use lyceum_contracts::mailed_link::{ChangePassword, ForgotPassword, ResetPassword};
use tokio::time::{Instant, sleep_until};

use super::commands;
use super::requests::{Forgotten, PasswordChange, PasswordReset};
use crate::state::State;

/// When `POST /auth/forgot-password` is answered, counted from its arrival.
///
/// Ten times what its work takes on a busy machine, so that the answer says nothing of the work.
/// A clock rather than idle work beside the true one: it needs no second path to be kept equal
/// to the first, and no row that means nothing.
const FORGOT_ANSWERED_AFTER: Duration = Duration::from_millis(100);

/// Changes the caller's own password and ends their other sessions.
///
/// The session that asks goes on with the tokens it has, so that a lost answer signs nobody out;
/// the others are ended one by one with the access tokens they issued (ASVS 5 §7.4.3).
/// A wrong `current_password` is a fault of that field, 422: 401 would have clients throw away a
/// token that counts, and 403 would say that the caller may not do what they may.
#[utoipa::path(
    put, path = "/users/me/password", tag = "passwords", security(("access_token" = [])),
    request_body = ChangePassword,
    responses(
        (status = 204, description = "The password is changed, the other sessions have ended"),
        (status = 429, description = "Too many wrong passwords; see Retry-After"),
        (status = 503, description = "Too many passwords are being hashed; see Retry-After"),
    ),
)]
pub(crate) async fn change_password(
    caller: CurrentUser,
    Body(change): Body<PasswordChange>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let guesses = &state.limits.login_per_account;
    guesses.admit(&caller.id)?;
    let (database, hasher) = (&state.database, &state.hasher);
    commands::change_password(database, hasher, &caller, change, clock::now())
        .await
        .map_err(|error| error.at("current_password"))?;
    state.revocations.catch_up().await;
    guesses.forgive(&caller.id);
    Ok(HttpResponse::NoContent().finish())
}

/// Sends a link to whoever has forgotten their password.
///
/// The answer is the same, and takes the same time, whether the address has an account, has none,
/// has one that is shut, or was sent a letter within the hour. The outbox is not woken: it
/// looks by itself within `outbox.poll_ms`, and work that followed at once would slow whatever is
/// asked next, after known addresses alone.
#[utoipa::path(
    post, path = "/auth/forgot-password", tag = "passwords", request_body = ForgotPassword,
    responses(
        (status = 202, description = "If the address has an account, a letter follows"),
        (status = 429, description = "Too many from this address", headers(("RateLimit" = String))),
    ),
)]
pub(crate) async fn forgot_password(
    Body(Forgotten(email)): Body<Forgotten>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let answer_at = Instant::now() + FORGOT_ANSWERED_AFTER;
    commands::forgot_password(&state.database, &email, clock::now()).await?;
    sleep_until(answer_at).await;
    Ok(HttpResponse::Accepted().finish())
}

/// Sets a new password by the link of a letter and ends all sessions; nobody is signed in by it.
#[utoipa::path(
    post, path = "/auth/reset-password", tag = "passwords", request_body = ResetPassword,
    responses(
        (status = 204, description = "The password is set, all sessions have ended"),
        (status = 410, description = "The link was followed, is older than ten minutes, or never was one"),
        (status = 429, description = "Too many from this address", headers(("RateLimit" = String))),
        (status = 503, description = "Too many passwords are being hashed; see Retry-After"),
    ),
)]
pub(crate) async fn reset_password(
    Body(reset): Body<PasswordReset>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let (database, hasher) = (&state.database, &state.hasher);
    let user = commands::reset_password(database, hasher, reset, clock::now()).await?;
    state.revocations.catch_up().await;
    // What others guessed before must not keep its owner out now.
    state.limits.login_per_account.forgive(&user.email_folded);
    Ok(HttpResponse::NoContent().finish())
}
