//! `ETag` with `If-Match` and `If-None-Match`: nobody overwrites what they have not seen, and nobody
//! is sent what they have.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use lyceum_contracts::problem::ProblemKind;
use serde::Serialize;

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

/// The tags a caller has answers under, from `If-None-Match` (RFC 9110 §13.1.2). A header that
/// cannot be read names none: the whole answer is never wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IfNoneMatch(Vec<String>);

impl IfNoneMatch {
    /// 304 without a body when the caller has the answer under `tag`, otherwise 200 with `body`;
    /// the `ETag` either way. `tag` is a quoted one, as in [`etag`].
    pub fn answer(&self, tag: &str, body: &impl Serialize) -> HttpResponse {
        let mut answer = if self.has(tag) {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        answer.insert_header((header::ETAG, tag));
        if self.has(tag) {
            answer.finish()
        } else {
            answer.json(body)
        }
    }

    /// The comparison is the weak one (RFC 9110 §8.8.3.2): a proxy may have marked ours as weak.
    fn has(&self, tag: &str) -> bool {
        let seen = |given: &str| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag;
        self.0.iter().any(|given| seen(given))
    }
}

impl FromRequest for IfNoneMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let lines = request.headers().get_all(header::IF_NONE_MATCH);
        // No tag of ours holds a comma.
        let tags = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(|tag| tag.trim().to_owned());
        ready(Ok(Self(tags.collect())))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::test::TestRequest;

    use super::*;

    async fn status(lines: &[&str]) -> StatusCode {
        let mut request = TestRequest::default();
        for line in lines {
            request = request.append_header((header::IF_NONE_MATCH, *line));
        }
        let seen = IfNoneMatch::extract(&request.to_http_request()).await;
        seen.unwrap().answer("\"v7\"", &"body").status()
    }

    #[actix_web::test]
    async fn who_has_the_answer_is_not_sent_it_again() {
        for has in [
            &["\"v7\""][..],
            &["W/\"v7\""],
            &["\"v6\", \"v7\""],
            &["\"v6\"", "\"v7\""],
            &["*"],
        ] {
            assert_eq!(status(has).await, StatusCode::NOT_MODIFIED, "{has:?}");
        }
        for has_not in [
            &[][..],
            &["\"v6\""],
            &["v7"],
            &["\"v77\""],
            &["\"\""],
            &[""],
        ] {
            assert_eq!(status(has_not).await, StatusCode::OK, "{has_not:?}");
        }
    }
}
