//! Bounds on the work of one request: its deadline, a panic inside it, a schema that is not there.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::middleware::Next;
use actix_web::{Error, web};
use futures_util::FutureExt;
use lyceum_contracts::header::DEADLINE_MS;
use lyceum_contracts::problem::ProblemKind;
use lyceum_resilience::deadline::Deadline;

use crate::database::{Database, NotReady};
use crate::http::ApiError;

/// Bounds that hold for every request of a listener.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub request_timeout: Duration,
}

/// Answers 408 when the request takes longer than its caller or this service grants, and drops
/// its work: nothing outlives the caller.
///
/// What the caller grants comes as `X-Deadline-Ms`; what remains of it is passed on to peers by
/// `lyceum-client`. The head of the answer ends the deadline, a stream may go on.
pub(super) async fn deadline(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let own = request
        .app_data::<web::Data<Limits>>()
        .map_or(Duration::MAX, |limits| limits.request_timeout);
    let budget = match granted(request.headers()) {
        Ok(Some(granted)) => granted.min(own),
        Ok(None) => own,
        Err(error) => return Err(error.into()),
    };
    if budget.is_zero() {
        return Err(too_late().into());
    }
    let deadline = Deadline::after(budget);
    let work = Deadline::scope(deadline, next.call(request));
    match tokio::time::timeout_at(deadline.instant(), work).await {
        Ok(response) => response.map(ServiceResponse::map_into_boxed_body),
        Err(_) => Err(too_late().into()),
    }
}

fn too_late() -> ApiError {
    ApiError::of(ProblemKind::RequestTimeout)
}

fn granted(headers: &HeaderMap) -> Result<Option<Duration>, ApiError> {
    let Some(value) = headers.get(DEADLINE_MS) else {
        return Ok(None);
    };
    let millis = value
        .to_str()
        .ok()
        .and_then(|text| text.parse::<u64>().ok());
    match millis {
        Some(millis) => Ok(Some(Duration::from_millis(millis))),
        None => Err(ApiError::of(ProblemKind::MalformedRequest)
            .detail("X-Deadline-Ms must be whole milliseconds")),
    }
}

/// Turns a panic into a 500; the process and the connection live on.
pub(super) async fn panics(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Routing happens in the call itself, before there is a future: it is inside as well.
    let work = async { next.call(request).await };
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(response) => response.map(ServiceResponse::map_into_boxed_body),
        // `crate::panics` has logged where; the payload may hold anything.
        Err(_) => Err(ApiError::internal(anyhow::anyhow!("a handler panicked")).into()),
    }
}

/// The database whose tables the requests of a listener need.
#[derive(Debug)]
pub(super) struct Schema(pub Database);

/// Where no table is needed: machines ask it whether the process is up.
const WITHOUT_TABLES: &str = "/health";

/// Answers 503 until the database is migrated: what would fail on a missing table is no fault of
/// ours, and works as soon as somebody has run `migrate`.
pub(super) async fn migrated(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.path() != WITHOUT_TABLES
        && let Some(schema) = request.app_data::<web::Data<Schema>>()
    {
        schema.0.migrated().await.map_err(not_yet)?;
    }
    next.call(request)
        .await
        .map(ServiceResponse::map_into_boxed_body)
}

fn not_yet(reason: NotReady) -> ApiError {
    match reason {
        NotReady::Unreachable(error) => error.into(),
        NotReady::Pending(_) => ApiError::of(ProblemKind::Unavailable)
            .retry_after(Duration::from_secs(1))
            .cause(reason),
    }
}
