//! Each refusal of this service as the caller reads it.

use std::time::Duration;

use lyceum_chassis::http::ApiError;
use lyceum_client::ClientError;
use lyceum_contracts::problem::{Fault, ProblemKind};

use crate::broadcasts::{CancelError, PostError};
use crate::inbox::ReadAllError;
use crate::live::Full;
use crate::live::courses::NotAdmitted;
use crate::mail::ChangeError;
use crate::webhooks::WebhookError;

/// When to ask again for a stream. Others close theirs whenever their tokens end or their pages
/// close, so there is no better number than a short one.
const ASK_AGAIN: Duration = Duration::from_secs(5);

impl From<Full> for ApiError {
    fn from(full: Full) -> Self {
        let kind = match full {
            Full::User => ProblemKind::TooManyRequests,
            Full::Node => ProblemKind::Unavailable,
        };
        Self::of(kind)
            .detail(full.to_string())
            .retry_after(ASK_AGAIN)
    }
}

impl From<NotAdmitted> for ApiError {
    fn from(error: NotAdmitted) -> Self {
        match error {
            NotAdmitted::NotAMember => Self::of(ProblemKind::Forbidden).detail(error.to_string()),
            NotAdmitted::NoSuchCourse => Self::not_found(),
            NotAdmitted::Unknown(ref cause) => Self::of(ProblemKind::Unavailable)
                .detail(error.to_string())
                .cause(ClientError::clone(cause))
                .retry_after(ASK_AGAIN),
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Missing => Self::not_found(),
            ChangeError::State(_) => Self::of(ProblemKind::Conflict).detail(error.to_string()),
            ChangeError::Database(error) => error.into(),
        }
    }
}

impl From<PostError> for ApiError {
    fn from(error: PostError) -> Self {
        match error {
            PostError::NoSuchCourse => Self::faults(vec![Fault {
                pointer: "#/audience/course_id".to_owned(),
                detail: error.to_string(),
                code: "unknown_course".to_owned(),
            }]),
            PostError::Keyed(error) => error.into(),
        }
    }
}

impl From<CancelError> for ApiError {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::Missing => Self::not_found(),
            CancelError::Finished => Self::of(ProblemKind::Conflict).detail(error.to_string()),
            CancelError::Database(error) => error.into(),
        }
    }
}

impl From<ReadAllError> for ApiError {
    fn from(error: ReadAllError) -> Self {
        match error {
            ReadAllError::Beyond { .. } => Self::faults(vec![Fault {
                pointer: "#/up_to".to_owned(),
                detail: error.to_string(),
                code: "out_of_range".to_owned(),
            }]),
            ReadAllError::Database(error) => error.into(),
        }
    }
}

impl From<WebhookError> for ApiError {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Missing => Self::not_found(),
            WebhookError::Url(unfit) => Self::faults(vec![Fault {
                pointer: "#/url".to_owned(),
                detail: unfit.to_string(),
                code: unfit.code().to_owned(),
            }]),
            WebhookError::TooMany(_) | WebhookError::Sending | WebhookError::Disabled => {
                Self::of(ProblemKind::Conflict).detail(error.to_string())
            }
            WebhookError::Database(error) => error.into(),
        }
    }
}
