//! `ETag` and `If-Match`: nobody overwrites what they have not seen.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpRequest};
use lyceum_contracts::problem::ProblemKind;

use super::ApiError;

/// The version a caller has seen, from `If-Match`; 428 when the header is missing (RFC 6585).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: whatever it is now.
    Any,
    /// `"v7"`: the version 7.
    Version(i64),
}

impl IfMatch {
    /// Goes on when `current` is what the caller has seen; 412 otherwise.
    ///
    /// # Errors
    /// The 412.
    pub fn check(self, current: i64) -> Result<(), ApiError> {
        match self {
            Self::Any => Ok(()),
            Self::Version(seen) if seen == current => Ok(()),
            Self::Version(_) => Err(ApiError::of(ProblemKind::PreconditionFailed)),
        }
    }
}

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get(header::IF_MATCH) else {
            return ready(Err(ApiError::of(ProblemKind::PreconditionRequired)));
        };
        // A tag that is not ours matches no version: the precondition is false, not malformed.
        ready(parse(value).ok_or_else(|| ApiError::of(ProblemKind::PreconditionFailed)))
    }
}

fn parse(value: &HeaderValue) -> Option<IfMatch> {
    let text = value.to_str().ok()?;
    if text == "*" {
        return Some(IfMatch::Any);
    }
    let version = text.strip_prefix("\"v")?.strip_suffix('"')?.parse().ok()?;
    Some(IfMatch::Version(version))
}

/// The `ETag` of a version, as a header.
pub fn etag(version: i64) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"v{version}\""))
}
