//! The one error a handler answers with.
//!
//! A service maps each outcome of its commands to an [`ApiError`] in its `error.rs`. What the
//! caller reads and what the operator reads are kept apart: the cause is logged once, by the
//! middleware that writes the answer ([`crate::server`]), and never sent.

use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use lyceum_client::ClientError;
use lyceum_contracts::problem::{Fault, Problem, ProblemKind};

use sea_orm::DbErr;

use crate::database;

/// A problem on its way to the caller, with what the operator should know of it.
///
/// One word wide, because it stands in the `Result` of every handler.
#[derive(Debug)]
pub struct ApiError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    problem: Problem,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<anyhow::Error>,
}

impl ApiError {
    /// The problem of this kind, without particulars.
    pub fn of(kind: ProblemKind) -> Self {
        Self(Box::new(Parts {
            problem: kind.problem(),
            headers: Vec::new(),
            cause: None,
        }))
    }

    /// The problem of a request with these faults: 422.
    pub fn faults(faults: Vec<Fault>) -> Self {
        Self::of(ProblemKind::ValidationError).naming(faults)
    }

    /// 404: there is no such thing, or not for this caller.
    pub fn not_found() -> Self {
        Self::of(ProblemKind::NotFound)
    }

    /// 500; the cause goes to the log.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::of(ProblemKind::InternalError).cause(cause)
    }

    /// Says what is wrong this time, to the person who sent the request.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.problem.detail = Some(detail.into());
        self
    }

    /// Names what in the request is in the way.
    #[must_use]
    pub fn naming(mut self, faults: Vec<Fault>) -> Self {
        self.0.problem.errors = faults;
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Says when to come back, in whole seconds rounded up.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        let value = u64::try_from(seconds).unwrap_or(u64::MAX);
        self.header(header::RETRY_AFTER, value.into())
    }

    /// The problem as it will be sent.
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// What the operator should know; `None` when the fault is the caller's.
    pub(crate) fn log_cause(&self) -> Option<&anyhow::Error> {
        self.0.cause.as_ref()
    }

    pub(crate) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.problem.title)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Status alone; the middleware adds the body, which also names the request and its trace.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

/// A database that is away is 503; anything else that reaches this line is a fault of ours.
impl From<DbErr> for ApiError {
    fn from(error: DbErr) -> Self {
        if database::is_unavailable(&error) {
            return Self::of(ProblemKind::Unavailable)
                .retry_after(Duration::from_secs(1))
                .cause(error);
        }
        Self::internal(error)
    }
}

/// A peer's failure passed on: 502, 503 or 504, never a 500.
impl From<ClientError> for ApiError {
    fn from(error: ClientError) -> Self {
        let (problem, retry_after) = error.to_problem();
        let api = Self(Box::new(Parts {
            problem,
            headers: Vec::new(),
            cause: Some(error.into()),
        }));
        match retry_after {
            Some(wait) => api.retry_after(wait),
            None => api,
        }
    }
}
