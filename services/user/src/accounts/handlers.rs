//! The routes of accounts.

use actix_web::HttpResponse;
use actix_web::web::Data;
use lyceum_chassis::auth::{CurrentUser, ServiceCaller};
use lyceum_chassis::clock;
use lyceum_chassis::http::{Answer, ApiError, Body, Id, IfMatch, IfNoneMatch, etag};
use lyceum_chassis::idempotency::{IdempotencyKey, Owner};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::problem::ProblemKind;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{Contact, Contacts, LookupUsers, RegisterUser, User, UserUpdate};

use super::commands::{self, NewAccount, Opened};
use super::requests::{AccountPatch, Lookup, Registration};
use super::store;
use super::view::{Account, AccountView};
use crate::state::State;

impl From<Opened> for Answer {
    fn from(Opened(user): Opened) -> Self {
        let location = format!("/users/{}", user.id);
        let version = user.version;
        Self::created(location, &User::from(Account::from(user))).version(version)
    }
}

/// Opens an account. Whoever registers is a student.
///
/// Under an `Idempotency-Key` the password is not compared: the first one counts.
#[utoipa::path(
    post, path = "/users", tag = "accounts", params(IdempotencyKey), request_body = RegisterUser,
    responses(
        (status = 201, description = "The account", body = User,
            headers(("Location" = String), ("ETag" = String))),
        (status = 409, description = "The address has an account"),
        (status = 429, description = "Too many from this address", headers(("RateLimit" = String))),
        (status = 503, description = "Too many passwords are being hashed; see Retry-After"),
    ),
)]
pub(crate) async fn register_user(
    key: IdempotencyKey,
    Body(registration): Body<Registration>,
    state: Data<State>,
) -> Result<Answer, ApiError> {
    let keyed = key.of(Owner::Anybody, &registration.without_secrets())?;
    let account = NewAccount {
        email: registration.email,
        full_name: registration.full_name,
        password_hash: state.hasher.hash(registration.password).await?,
        role: Role::Student,
    };
    let now = clock::now();
    Ok(commands::register_user(&state.database, &state.outbox, keyed, account, now).await?)
}

/// The caller's own account.
#[utoipa::path(
    get, path = "/users/me", tag = "accounts", security(("access_token" = [])),
    params(("If-None-Match" = Option<String>, Header, description = "ETags of answers at hand")),
    responses(
        (status = 200, description = "The account", body = User, headers(("ETag" = String))),
        (status = 304, description = "It is as it was", headers(("ETag" = String))),
    ),
)]
pub(crate) async fn get_me(
    caller: CurrentUser,
    seen: IfNoneMatch,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    // A token outlives its account by minutes; signing in again tells its holder.
    let user = store::find_visible(&state.database, caller.id).await?;
    let user = user.ok_or_else(|| ApiError::of(ProblemKind::Unauthenticated))?;
    let tag = etag(user.version).1;
    Ok(seen.answer(&tag, &User::from(user)))
}

/// One account: whole for its owner and admins, name alone for anybody else.
#[utoipa::path(
    get, path = "/users/{id}", tag = "accounts", security(("access_token" = [])),
    params(("id" = UserId, Path),
        ("If-None-Match" = Option<String>, Header, description = "ETags of answers at hand")),
    responses(
        (status = 200, description = "The account, or what others may know of it",
            body = inline(AccountView), headers(("ETag" = String))),
        (status = 304, description = "It is as it was", headers(("ETag" = String))),
        (status = 404, description = "There is no such account"),
    ),
)]
pub(crate) async fn get_user(
    caller: CurrentUser,
    Id(id): Id<UserId>,
    seen: IfNoneMatch,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let user = store::find_visible(&state.database, id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let tag = etag(user.version).1;
    Ok(match AccountView::of(user, &caller) {
        // Nobody else changes it, and so nobody else is told of a version.
        profile @ AccountView::Profile(_) => HttpResponse::Ok().json(profile),
        whole => seen.answer(&tag, &whole),
    })
}

/// Changes an account: its owner the name, an admin also the role.
#[utoipa::path(
    patch, path = "/users/{id}", tag = "accounts", security(("access_token" = [])),
    params(("id" = UserId, Path), ("If-Match" = String, Header, description = "The ETag last seen")),
    request_body(content = UserUpdate, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The account, as the caller sees it",
            body = inline(AccountView), headers(("ETag" = String))),
        (status = 403, description = "Only an admin changes a role"),
        (status = 404, description = "There is no such account, or it is somebody else's"),
        (status = 409, description = "No active admin would be left"),
        (status = 412, description = "The account has changed meanwhile"),
        (status = 428, description = "If-Match is missing"),
    ),
)]
pub(crate) async fn update_user(
    caller: CurrentUser,
    Id(id): Id<UserId>,
    seen: IfMatch,
    Body(patch): Body<AccountPatch>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    permit_change(&caller, id, &patch)?;
    let now = clock::now();
    let user = commands::update_user(
        &state.database,
        &state.outbox,
        &caller,
        id,
        seen,
        patch,
        now,
    )
    .await?;
    state.revocations.catch_up().await;
    Ok(HttpResponse::Ok()
        .insert_header(etag(user.version))
        .json(AccountView::of(user.into(), &caller)))
}

/// How the named people are reached; unknown ids are left out.
#[utoipa::path(
    post, path = "/internal/users/lookup", tag = "internal", security(("service_token" = [])),
    request_body = LookupUsers,
    responses(
        (status = 200, description = "Their contacts, by id", body = Contacts),
        (status = 403, description = "The caller is not a service"),
    ),
)]
pub(crate) async fn lookup_users(
    _caller: ServiceCaller,
    Body(Lookup(ids)): Body<Lookup>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let rows = store::find_all(&state.database, ids).await?;
    let items = rows.into_iter().map(Contact::from).collect();
    Ok(HttpResponse::Ok().json(Contacts { items }))
}

/// An account is changed by its owner and by admins, a role by admins alone.
fn permit_change(caller: &CurrentUser, id: UserId, patch: &AccountPatch) -> Result<(), ApiError> {
    if !caller.is_or_administers(id) {
        return Err(ApiError::not_found());
    }
    if patch.is_open_to(caller.role) {
        return Ok(());
    }
    tracing::warn!(
        event = "auth.forbidden",
        user.id = caller.id.get(),
        role = caller.role.as_str(),
        "only an admin changes a role"
    );
    Err(ApiError::of(ProblemKind::Forbidden).detail("only an admin changes a role"))
}
