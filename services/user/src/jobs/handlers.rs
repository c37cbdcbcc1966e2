//! The routes of jobs.

use std::time::Duration;

use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::clock;
use lyceum_chassis::http::{Answer, ApiError, Id, Query, Window, page};
use lyceum_chassis::openapi::WindowQuery;
use lyceum_contracts::ids::JobId;
use lyceum_contracts::job::{Job, Progress};
use lyceum_contracts::page::Page;
use lyceum_contracts::role::Role;

use super::{commands, store};
use crate::entity::job::Model;
use crate::state::State;

/// When to ask again about a job that is still to end: its steps take milliseconds.
const ASK_AGAIN: Duration = Duration::from_secs(1);

impl From<Model> for Job {
    fn from(job: Model) -> Self {
        let result = job.result.map(serde_json::from_value);
        Self {
            id: job.id,
            kind: job.kind,
            status: job.status,
            progress: Progress {
                done: job.done.unsigned_abs(),
                total: job.total.map(i64::unsigned_abs),
            },
            // Written by this service; one a newer release has written is left out.
            result: result.and_then(Result::ok),
            error: job.error,
            created_at: job.created_at,
            updated_at: job.updated_at,
        }
    }
}

/// What a request for a job answers with: where to ask how far it is.
impl From<Model> for Answer {
    fn from(job: Model) -> Self {
        let location = format!("/jobs/{}", job.id);
        Self::accepted(location, &Job::from(job))
    }
}

/// How far a job is, and what came of it.
#[utoipa::path(
    get, path = "/jobs/{id}", tag = "jobs", security(("access_token" = [])),
    params(("id" = JobId, Path)),
    responses(
        (status = 200, description = "The job; with Retry-After, ask again", body = Job,
            headers(("Retry-After" = String))),
        (status = 404, description = "There is no such job, or it is somebody else's"),
    ),
)]
pub(crate) async fn get_job(
    caller: CurrentUser,
    Id(id): Id<JobId>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let job = commands::find_for(&state.database, &caller, id).await?;
    let job = job.ok_or_else(ApiError::not_found)?;
    let mut answer = HttpResponse::Ok();
    if !job.status.is_final() {
        answer.insert_header((RETRY_AFTER, ASK_AGAIN.as_secs()));
    }
    Ok(answer.json(Job::from(job)))
}

/// The caller's jobs, an admin's view of all, in the order they were asked for.
#[utoipa::path(
    get, path = "/jobs", tag = "jobs", security(("access_token" = [])),
    params(WindowQuery),
    responses((status = 200, description = "One page", body = Page<Job>, headers(("Link" = String)))),
)]
pub(crate) async fn list_jobs(
    caller: CurrentUser,
    Query(window): Query<Window>,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let owner = (caller.role != Role::Admin).then_some(caller.id);
    let rows = store::list(&state.database, owner, window).await?;
    Ok(page(&request, window, rows, |job| job.id.get(), Job::from))
}

/// Ends a job after the step that is under way. What was done by then stays done.
#[utoipa::path(
    delete, path = "/jobs/{id}", tag = "jobs", security(("access_token" = [])),
    params(("id" = JobId, Path)),
    responses(
        (status = 204, description = "It is cancelled"),
        (status = 404, description = "There is no such job, or it is somebody else's"),
        (status = 409, description = "It has succeeded or failed already"),
    ),
)]
pub(crate) async fn cancel_job(
    caller: CurrentUser,
    Id(id): Id<JobId>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    commands::cancel_job(&state.database, &caller, id, clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
