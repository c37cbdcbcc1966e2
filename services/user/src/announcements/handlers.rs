//! The route of announcements.

use actix_web::web::Data;
use lyceum_chassis::auth::{Permission, Require};
use lyceum_chassis::clock;
use lyceum_chassis::http::{Answer, ApiError, Body};
use lyceum_chassis::idempotency::IdempotencyKey;
use lyceum_contracts::job::{Job, PostAnnouncement};
use lyceum_contracts::role::Role;

use super::commands;
use super::requests::NewAnnouncement;
use crate::state::State;

/// May tell everybody something.
#[derive(Debug)]
pub(crate) struct AnnounceToAll;

impl Permission for AnnounceToAll {
    const ROLES: &'static [Role] = &[Role::Admin];
}

/// Tells everybody who may sign in, or everybody with one of the roles. Each person is told once.
#[utoipa::path(
    post, path = "/users/announcements", tag = "accounts", security(("access_token" = [])),
    params(IdempotencyKey), request_body = PostAnnouncement,
    responses(
        (status = 202, description = "The job that tells them", body = Job,
            headers(("Location" = String))),
        (status = 403, description = "The caller is not an admin"),
    ),
)]
pub(crate) async fn post_announcement(
    admin: Require<AnnounceToAll>,
    key: IdempotencyKey,
    Body(announcement): Body<NewAnnouncement>,
    state: Data<State>,
) -> Result<Answer, ApiError> {
    let keyed = key.of(admin.id, &announcement.as_sent())?;
    let (database, bell) = (&state.database, &state.jobs);
    let now = clock::now();
    Ok(commands::post_announcement(database, bell, keyed, admin.id, announcement, now).await?)
}
