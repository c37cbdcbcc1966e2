//! Each outcome of a command as the problem its caller reads: one exhaustive map per error.

use std::time::Duration;

use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use lyceum_chassis::http::ApiError;
use lyceum_contracts::problem::ProblemKind;

use crate::accounts::commands::{RegisterError, UpdateError};
use crate::overview::OverviewError;
use crate::password::HashError;
use crate::sessions::commands::{LoginError, RefreshError};

/// A full queue of hashes is worked off in about this time.
const HASHES_DONE_IN: Duration = Duration::from_secs(1);

impl From<HashError> for ApiError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::of(ProblemKind::Unavailable)
                .retry_after(HASHES_DONE_IN)
                .cause(error),
            HashError::Failed(_) | HashError::Lost(_) => Self::internal(error),
        }
    }
}

impl From<RegisterError> for ApiError {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::EmailTaken => {
                Self::of(ProblemKind::Conflict).detail("the e-mail address has an account")
            }
            RegisterError::Keyed(error) => error.into(),
        }
    }
}

impl From<UpdateError> for ApiError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::NoSuchUser => Self::not_found(),
            UpdateError::Stale => Self::of(ProblemKind::PreconditionFailed),
            UpdateError::Database(error) => error.into(),
        }
    }
}

impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::InvalidCredentials => unauthorised(ProblemKind::InvalidCredentials),
            LoginError::Hash(error) => error.into(),
            LoginError::Database(error) => error.into(),
        }
    }
}

impl From<RefreshError> for ApiError {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Ended => unauthorised(ProblemKind::SessionEnded),
            RefreshError::Database(error) => error.into(),
        }
    }
}

impl From<OverviewError> for ApiError {
    fn from(error: OverviewError) -> Self {
        match error {
            OverviewError::NoSuchUser => Self::not_found(),
            OverviewError::Database(error) => error.into(),
        }
    }
}

/// A 401 names a way to be let in (RFC 9110 §15.5.2).
fn unauthorised(kind: ProblemKind) -> ApiError {
    ApiError::of(kind).header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}
