//! The routes of many accounts.

use actix_web::web::Data;
use lyceum_chassis::auth::{Permission, Require};
use lyceum_chassis::clock;
use lyceum_chassis::http::{Answer, ApiError, Body};
use lyceum_chassis::idempotency::{IdempotencyKey, RequiredIdempotencyKey};
use lyceum_contracts::bulk::{BulkResults, CreateUsers, CreatedUsers, UpdateUsers};
use lyceum_contracts::role::Role;

use super::requests::{Changes, Creation};
use super::{create, update};
use crate::state::State;

/// May open and change accounts of others, many at once.
#[derive(Debug)]
pub(crate) struct ManageAccounts;

impl Permission for ManageAccounts {
    const ROLES: &'static [Role] = &[Role::Admin];
}

/// Opens up to 1000 accounts, all or none, or each for itself.
///
/// Whoever comes without a password is invited by mail to choose one. Nobody is made an admin
/// here. Under an `Idempotency-Key` passwords are not compared: the first ones count.
#[utoipa::path(
    post, path = "/users/bulk", tag = "accounts", security(("access_token" = [])),
    params(RequiredIdempotencyKey), request_body = CreateUsers,
    responses(
        (status = 201, description = "Mode `atomic`: all accounts, in the order of the request",
            body = CreatedUsers),
        (status = 207, description = "Mode `partial`: how each item went, in the order of the \
            request: 201, 403, 409 or 422", body = BulkResults),
        (status = 400, description = "The body is not JSON, or the Idempotency-Key is missing"),
        (status = 403, description = "The caller is not an admin, or an item in mode `atomic` is \
            to be one; nothing is written"),
        (status = 409, description = "Mode `atomic`: addresses have an account or stand twice, \
            each named; nothing is written"),
        (status = 422, description = "The number of items or passwords is out of range, or items \
            in mode `atomic` have faults, each named; nothing is written"),
        (status = 503, description = "Too many passwords are being hashed; see Retry-After"),
    ),
)]
pub(crate) async fn create_users(
    admin: Require<ManageAccounts>,
    key: RequiredIdempotencyKey,
    Body(creation): Body<Creation>,
    state: Data<State>,
) -> Result<Answer, ApiError> {
    let keyed = key.of(admin.id, &creation.without_secrets())?;
    Ok(create::create_users(&state, admin.id, keyed, creation, clock::now()).await?)
}

/// Changes up to 1000 accounts, each for itself.
///
/// An item whose `version` is left out changes the account as it is. The last admin who can sign
/// in stays one: a request that replaces them names the new one first.
#[utoipa::path(
    patch, path = "/users/bulk", tag = "accounts", security(("access_token" = [])),
    params(IdempotencyKey), request_body = UpdateUsers,
    responses(
        (status = 207, description = "How each item went, in the order of the request: 200, 404, \
            409 the last admin, 412 another version, or 422", body = BulkResults),
        (status = 403, description = "The caller is not an admin"),
        (status = 422, description = "The number of items is out of range"),
    ),
)]
pub(crate) async fn update_users(
    admin: Require<ManageAccounts>,
    key: IdempotencyKey,
    Body(changes): Body<Changes>,
    state: Data<State>,
) -> Result<Answer, ApiError> {
    let keyed = key.of(admin.id, &changes.without_secrets())?;
    Ok(update::update_users(&state, admin.id, keyed, changes, clock::now()).await?)
}
