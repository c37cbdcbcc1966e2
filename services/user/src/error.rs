//! Each outcome of a command as the problem its caller reads: one exhaustive map per error.

use std::time::Duration;

use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use lyceum_chassis::http::ApiError;
use lyceum_contracts::problem::{Fault, ProblemKind};

use crate::accounts::commands::{RegisterError, UpdateError};
use crate::accounts::standing::commands::StandingError;
use crate::bulk::CreateError;
use crate::email_change::commands::{ChangeEmailError, ConfirmEmailError};
use crate::import::commands::ReceiveError;
use crate::import::{BodyError, MAX_LINE};
use crate::invitations::AcceptError;
use crate::jobs::commands::CancelError;
use crate::links::commands::{LetterError, LinkError};
use crate::overview::OverviewError;
use crate::password::HashError;
use crate::password::commands::{ReauthenticationError, ResetError};
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
            RegisterError::EmailTaken => email_taken(),
            RegisterError::Keyed(error) => error.into(),
        }
    }
}

impl From<UpdateError> for ApiError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::NoSuchUser => Self::not_found(),
            UpdateError::Stale => Self::of(ProblemKind::PreconditionFailed),
            UpdateError::LastAdmin => last_admin(),
            UpdateError::Database(error) => error.into(),
        }
    }
}

impl From<CreateError> for ApiError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Refused(refusal) => {
                let (kind, faults) = refusal.into_parts();
                Self::of(kind).naming(faults)
            }
            CreateError::Hash(error) => error.into(),
            CreateError::Keyed(error) => error.into(),
        }
    }
}

impl From<StandingError> for ApiError {
    fn from(error: StandingError) -> Self {
        match error {
            StandingError::NoSuchUser => Self::not_found(),
            StandingError::Stale => Self::of(ProblemKind::PreconditionFailed),
            StandingError::LastAdmin => last_admin(),
            StandingError::Database(error) => error.into(),
        }
    }
}

impl From<CancelError> for ApiError {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::NoSuchJob => Self::not_found(),
            CancelError::Finished => {
                Self::of(ProblemKind::Conflict).detail("the job has ended already")
            }
            CancelError::Database(error) => error.into(),
        }
    }
}

impl From<ReceiveError> for ApiError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Body(BodyError::LineTooLong(line)) => {
                Self::of(ProblemKind::ContentTooLarge)
                    .detail(format!("line {line} is longer than {MAX_LINE} bytes"))
            }
            ReceiveError::Body(BodyError::BrokenOff(error)) => {
                Self::of(ProblemKind::MalformedRequest)
                    .detail("the body ended before its time")
                    .cause(anyhow::anyhow!("{error}"))
            }
            ReceiveError::TooManyLines(most) => Self::of(ProblemKind::ContentTooLarge)
                .detail(format!("an import may have {most} lines")),
            ReceiveError::Empty => Self::faults(vec![Fault {
                pointer: "#".to_owned(),
                detail: "must have a line".to_owned(),
                code: "empty".to_owned(),
            }]),
            ReceiveError::Database(error) => error.into(),
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

impl From<LinkError> for ApiError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Spent => Self::of(ProblemKind::LinkSpent),
            LinkError::Database(error) => error.into(),
        }
    }
}

impl From<LetterError> for ApiError {
    fn from(error: LetterError) -> Self {
        match error {
            LetterError::NoSuchLink => Self::not_found(),
            LetterError::Spent => Self::of(ProblemKind::LinkSpent),
            LetterError::Database(error) => error.into(),
        }
    }
}

impl ReauthenticationError {
    /// The problem; a wrong password is a fault of the field it stood in.
    pub(crate) fn at(self, field: &str) -> ApiError {
        match self {
            Self::NoAccount => unauthorised(ProblemKind::Unauthenticated),
            Self::WrongPassword => ApiError::faults(vec![Fault {
                pointer: format!("#/{field}"),
                detail: "is not the password of the account".to_owned(),
                code: "wrong_password".to_owned(),
            }]),
            Self::Hash(error) => error.into(),
            Self::Database(error) => error.into(),
        }
    }
}

impl From<ResetError> for ApiError {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::Link(error) => error.into(),
            ResetError::Hash(error) => error.into(),
            ResetError::Database(error) => error.into(),
        }
    }
}

impl From<ChangeEmailError> for ApiError {
    fn from(error: ChangeEmailError) -> Self {
        match error {
            ChangeEmailError::Reauthentication(error) => error.at("password"),
            ChangeEmailError::TooMany { retry_after } => {
                Self::of(ProblemKind::TooManyRequests).retry_after(retry_after)
            }
        }
    }
}

impl From<ConfirmEmailError> for ApiError {
    fn from(error: ConfirmEmailError) -> Self {
        match error {
            ConfirmEmailError::Link(error) => error.into(),
            ConfirmEmailError::EmailTaken => email_taken(),
        }
    }
}

impl From<AcceptError> for ApiError {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Link(error) => error.into(),
            AcceptError::Hash(error) => error.into(),
            AcceptError::Database(error) => error.into(),
        }
    }
}

fn email_taken() -> ApiError {
    ApiError::of(ProblemKind::Conflict).detail("the e-mail address has an account")
}

fn last_admin() -> ApiError {
    ApiError::of(ProblemKind::Conflict)
        .detail("this is the last active admin; make somebody else an admin first")
}

/// A 401 names a way to be let in (RFC 9110 §15.5.2).
fn unauthorised(kind: ProblemKind) -> ApiError {
    ApiError::of(kind).header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}
