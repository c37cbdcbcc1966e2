//! The routes of many accounts.

use actix_web::web::Data;
use lyceum_chassis::auth::{Permission, Require};
use lyceum_chassis::clock;
use lyceum_chassis::http::{Answer, ApiError, Body};
use lyceum_chassis::idempotency::RequiredIdempotencyKey;
use lyceum_contracts::bulk::{BulkResults, CreateUsers, CreatedUsers};
use lyceum_contracts::role::Role;

use super::create;
use super::requests::Creation;
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
