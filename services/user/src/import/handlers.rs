//! The routes of imports.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::{CurrentUser, Permission, Require};
use lyceum_chassis::clock;
use lyceum_chassis::http::{Answer, ApiError, Id, Query, Window, page};
use lyceum_chassis::idempotency::IdempotencyKey;
use lyceum_chassis::openapi::WindowQuery;
use lyceum_contracts::ids::JobId;
use lyceum_contracts::job::{ImportLine, Job, LineFault};
use lyceum_contracts::page::Page;
use lyceum_contracts::role::Role;

use super::body::Lines;
use super::{commands, store};
use crate::entity::import::fault;
use crate::jobs::commands::find_for;
use crate::state::State;

/// May invite many people at once.
#[derive(Debug)]
pub(crate) struct ImportUsers;

impl Permission for ImportUsers {
    const ROLES: &'static [Role] = &[Role::Admin];
}

impl From<fault::Model> for LineFault {
    fn from(fault: fault::Model) -> Self {
        Self {
            line: fault.line.unsigned_abs(),
            // Written by this service.
            errors: serde_json::from_value(fault.errors).unwrap_or_default(),
        }
    }
}

/// Invites everybody on a list: one JSON object per line, any number of lines up to
/// `import.max_lines`.
///
/// A line that cannot be read, or whose address has an account, is left out and told at
/// `/jobs/{id}/faults`; it fails no other. Nothing is done before the body has ended.
#[utoipa::path(
    post, path = "/users/import", tag = "accounts", security(("access_token" = [])),
    params(IdempotencyKey),
    request_body(content = ImportLine, content_type = "application/x-ndjson"),
    responses(
        (status = 202, description = "The job that invites them", body = Job,
            headers(("Location" = String))),
        (status = 403, description = "The caller is not an admin"),
        (status = 413, description = "There are too many lines, or one is longer than 4 KiB"),
        (status = 415, description = "The body must be application/x-ndjson"),
        (status = 422, description = "There is no line, or: The idempotency key belongs to another request"),
    ),
)]
pub(crate) async fn import_users(
    admin: Require<ImportUsers>,
    key: IdempotencyKey,
    lines: Lines,
    state: Data<State>,
) -> Result<Answer, ApiError> {
    let received = commands::receive(&state.database, lines, state.import_lines).await?;
    let keyed = key.of(admin.id, &received.digest)?;
    let (database, bell) = (&state.database, &state.jobs);
    let now = clock::now();
    Ok(commands::import_users(database, bell, keyed, admin.id, received, now).await?)
}

/// The lines of an import that made no account, by line: the first thousand that were found.
/// Complete once the job has ended.
#[utoipa::path(
    get, path = "/jobs/{id}/faults", tag = "jobs", security(("access_token" = [])),
    params(("id" = JobId, Path), WindowQuery),
    responses(
        (status = 200, description = "One page; empty for a job of another kind",
            body = Page<LineFault>, headers(("Link" = String))),
        (status = 404, description = "There is no such job, or it is somebody else's"),
    ),
)]
pub(crate) async fn list_import_faults(
    caller: CurrentUser,
    Id(id): Id<JobId>,
    Query(window): Query<Window>,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let job = find_for(&state.database, &caller, id).await?;
    let job = job.ok_or_else(ApiError::not_found)?;
    let rows = store::list_faults(&state.database, job.id, window).await?;
    Ok(page(
        &request,
        window,
        rows,
        |fault| fault.line,
        LineFault::from,
    ))
}
