//! Bounds on the work of one request: its deadline, a panic inside it, a schema that is not there.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

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
        let expired = too_late().detail("X-Deadline-Ms: 0 says that nobody waits any more");
        return Err(expired.into());
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

/// How often the database is asked whether somebody has migrated it, however many ask for it; and
/// what a caller is told to wait.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The database whose tables the requests of a listener need.
#[derive(Debug)]
pub(super) struct Schema {
    database: Database,
    looks: Looks,
}

impl Schema {
    pub(super) fn new(database: Database) -> Self {
        Self {
            database,
            looks: Looks::default(),
        }
    }

    async fn is_there(&self) -> Result<(), ApiError> {
        if self.database.is_migrated() {
            Ok(())
        } else if self.looks.may_look(Instant::now()) {
            self.database.migrated().await.map_err(not_yet)
        } else {
            Err(pending(anyhow::anyhow!("migrations were just pending")))
        }
    }
}

/// When the database was last asked.
#[derive(Debug, Default)]
struct Looks(Mutex<Option<Instant>>);

impl Looks {
    /// Whether it is this caller's turn to ask the database.
    fn may_look(&self, now: Instant) -> bool {
        let mut looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = looked.is_none_or(|before| now.duration_since(before) >= LOOK_EVERY);
        if due {
            *looked = Some(now);
        }
        due
    }
}

/// Where no table is needed: machines ask whether the process is up, people what it can do and
/// what a problem means, such as the one they get meanwhile.
fn needs_no_table(path: &str) -> bool {
    matches!(path, "/health" | "/openapi.json" | "/docs")
        || path.starts_with("/docs/")
        || path.starts_with("/problems/")
}

/// Answers 503 until the database is migrated: what would fail on a missing table is no fault of
/// ours, and works as soon as somebody has run `migrate`.
pub(super) async fn migrated(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if !needs_no_table(request.path())
        && let Some(schema) = request.app_data::<web::Data<Schema>>()
    {
        schema.is_there().await?;
    }
    next.call(request)
        .await
        .map(ServiceResponse::map_into_boxed_body)
}

fn not_yet(reason: NotReady) -> ApiError {
    match reason {
        NotReady::Unreachable(error) => error.into(),
        NotReady::Pending(_) => pending(reason),
    }
}

fn pending(cause: impl Into<anyhow::Error>) -> ApiError {
    ApiError::of(ProblemKind::Unavailable)
        .retry_after(LOOK_EVERY)
        .cause(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_asked_once_a_second_however_many_wait_for_it() {
        let (looks, start) = (Looks::default(), Instant::now());
        let after = |millis| looks.may_look(start + Duration::from_millis(millis));
        let asked = [0, 0, 1, 999, 1_000, 1_001, 1_999, 2_000].map(after);
        let expected = [true, false, false, false, true, false, false, true];
        assert_eq!(asked, expected);
    }

    #[test]
    fn what_is_read_about_the_service_needs_no_table() {
        for path in [
            "/health",
            "/openapi.json",
            "/docs",
            "/docs/",
            "/docs/index.html",
            "/problems/unavailable",
        ] {
            assert!(needs_no_table(path), "{path}");
        }
        for path in ["/", "/healthy", "/docsy", "/problems", "/users/1"] {
            assert!(!needs_no_table(path), "{path}");
        }
    }
}
