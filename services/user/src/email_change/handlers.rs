//! The routes of an address that changes.

use actix_web::HttpResponse;
use actix_web::web::Data;
use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Body};
use lyceum_contracts::mailed_link::{ChangeEmail, ConfirmEmail};

use super::commands;
use super::requests::{Confirmation, EmailChange};
use crate::state::State;

/// Sends a link to a new address for the caller's account; the old one stays until it is followed.
///
/// The answer is the same whether the new address is free or not. A wrong `password` is a fault
/// of that field, as in `PUT /users/me/password`.
#[utoipa::path(
    put, path = "/users/me/email", tag = "accounts", security(("access_token" = [])),
    request_body = ChangeEmail,
    responses(
        (status = 202, description = "A letter follows to the new address"),
        (status = 429, description = "Three letters within the hour, or too many wrong passwords; see Retry-After"),
        (status = 503, description = "Too many passwords are being hashed; see Retry-After"),
    ),
)]
pub(crate) async fn change_email(
    caller: CurrentUser,
    Body(change): Body<EmailChange>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let State {
        database,
        hasher,
        outbox,
        limits,
        ..
    } = state.get_ref();
    let guesses = &limits.login_per_account;
    guesses.admit(&caller.id)?;
    commands::request_change(database, hasher, outbox, caller.id, change, clock::now()).await?;
    guesses.forgive(&caller.id);
    Ok(HttpResponse::Accepted().finish())
}

/// Makes the address a letter went to that of the account; its owner need not be signed in.
#[utoipa::path(
    post, path = "/auth/confirm-email", tag = "accounts", request_body = ConfirmEmail,
    responses(
        (status = 204, description = "The account has the address"),
        (status = 409, description = "Somebody else has the address by now"),
        (status = 429, description = "Too many from this address", headers(("RateLimit" = String))),
        (status = 410, description = "The link was followed or replaced, is older than a day, or never was one"),
    ),
)]
pub(crate) async fn confirm_email(
    Body(Confirmation(token)): Body<Confirmation>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    commands::confirm_change(&state.database, &state.outbox, &token, clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
