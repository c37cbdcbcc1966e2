//! The routes of an account's standing.

use actix_web::HttpResponse;
use actix_web::web::Data;
use lyceum_chassis::auth::{CurrentUser, Permission, Require};
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Id, IfMatch, etag};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::AdminUser;

use super::commands;
use crate::accounts::Account;
use crate::entity::user::Model;
use crate::state::State;

/// May shut other people's accounts and open them again.
#[derive(Debug)]
pub(crate) struct DisableUsers;

impl Permission for DisableUsers {
    const ROLES: &'static [Role] = &[Role::Admin];
}

/// Shuts an account: nobody signs in, and who is signed in is out. A second time does nothing.
#[utoipa::path(
    post, path = "/users/{id}/disable", tag = "accounts", security(("access_token" = [])),
    params(("id" = UserId, Path)),
    responses(
        (status = 200, description = "The account", body = AdminUser, headers(("ETag" = String))),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is no such account"),
        (status = 409, description = "No active admin would be left"),
    ),
)]
pub(crate) async fn disable_user(
    caller: Require<DisableUsers>,
    Id(id): Id<UserId>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let user = commands::disable_user(&state.database, &caller, id, clock::now()).await?;
    state.revocations.catch_up().await;
    Ok(administered(user))
}

/// Opens an account that was shut. A second time does nothing.
#[utoipa::path(
    post, path = "/users/{id}/enable", tag = "accounts", security(("access_token" = [])),
    params(("id" = UserId, Path)),
    responses(
        (status = 200, description = "The account", body = AdminUser, headers(("ETag" = String))),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is no such account"),
    ),
)]
pub(crate) async fn enable_user(
    caller: Require<DisableUsers>,
    Id(id): Id<UserId>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let user = commands::enable_user(&state.database, &caller, id, clock::now()).await?;
    Ok(administered(user))
}

/// Deletes an account for good. What is personal in it is gone at once, here and, as soon as they
/// hear of it, in the other services; the address may be registered anew.
#[utoipa::path(
    delete, path = "/users/{id}", tag = "accounts", security(("access_token" = [])),
    params(("id" = UserId, Path), ("If-Match" = String, Header, description = "The ETag last seen")),
    responses(
        (status = 204, description = "It is deleted"),
        (status = 404, description = "There is no such account, or it is somebody else's"),
        (status = 409, description = "No active admin would be left"),
        (status = 412, description = "The account has changed meanwhile"),
        (status = 428, description = "If-Match is missing"),
    ),
)]
pub(crate) async fn delete_user(
    caller: CurrentUser,
    Id(id): Id<UserId>,
    seen: IfMatch,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    if !caller.is_or_administers(id) {
        return Err(ApiError::not_found());
    }
    let (database, outbox) = (&state.database, &state.outbox);
    commands::delete_user(database, outbox, &caller, id, seen, clock::now()).await?;
    state.revocations.catch_up().await;
    Ok(HttpResponse::NoContent().finish())
}

fn administered(user: Model) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(etag(user.version))
        .json(AdminUser::from(Account::from(user)))
}
