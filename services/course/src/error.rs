//! Each outcome of a command as the problem its caller reads. Every match is exhaustive.

use lyceum_chassis::http::ApiError;
use lyceum_contracts::problem::ProblemKind;

use crate::catalogue::changes::ChangeError;
use crate::catalogue::commands::PublishError;
use crate::enrolments::commands::{DropError, EnrolError};
use crate::people::PersonError;

impl From<PublishError> for ApiError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::NoSuchCourse => Self::not_found(),
            PublishError::NotTheirs => Self::of(ProblemKind::Forbidden)
                .detail("only its instructor or an admin may publish this course"),
            PublishError::Database(error) => error.into(),
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NoSuchCourse => Self::not_found(),
            ChangeError::NotTheirs => Self::of(ProblemKind::Forbidden)
                .detail("only its instructor or an admin may change this course"),
            ChangeError::Stale => Self::of(ProblemKind::PreconditionFailed),
            ChangeError::Published => Self::of(ProblemKind::Conflict)
                .detail("the course is published; people are in it, or were"),
            ChangeError::Database(error) => error.into(),
        }
    }
}

impl From<EnrolError> for ApiError {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::NoSuchCourse => Self::not_found(),
            EnrolError::Gone => PersonError::Gone.into(),
            EnrolError::NotPublished => Self::of(ProblemKind::Conflict)
                .detail("the course is a draft; publish it before anybody enrols"),
            EnrolError::Full => {
                Self::of(ProblemKind::Conflict).detail("the course is full: every place is taken")
            }
            EnrolError::Keyed(error) => error.into(),
        }
    }
}

impl From<DropError> for ApiError {
    fn from(error: DropError) -> Self {
        match error {
            DropError::NotEnrolled => Self::not_found(),
            DropError::Database(error) => error.into(),
        }
    }
}

impl From<PersonError> for ApiError {
    fn from(error: PersonError) -> Self {
        match error {
            PersonError::Gone => {
                Self::of(ProblemKind::Forbidden).detail("the account no longer exists")
            }
            PersonError::Unknown(error) => error.into(),
        }
    }
}
