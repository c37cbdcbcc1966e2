//! RFC 9457 problems: the one shape of every failure, and its vocabulary.
//!
//! A [`ProblemKind`] fixes `type`, `title` and `status`; the place that fails adds `detail` and
//! [`Fault`]s. Details of 5xx are constants: causes go to the log, never to the caller.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A failure as the caller reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Stable URI reference; the path answers with a sentence of explanation on every service.
    pub r#type: String,
    /// What kind of problem this is, the same words each time.
    pub title: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// What is wrong this time, for the person who sent the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The path of the request that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Find the request in the trace viewer and in the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Every fault of the request, not only the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// `#/email` for a body (RFC 6901 fragment), `?limit` for a query parameter.
    pub pointer: String,
    /// What is wrong, as a sentence without a full stop.
    pub detail: String,
    /// A stable word a program can act on.
    pub code: String,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $name:ident = $status:literal $slug:literal $title:literal;)+) => {
        /// Every kind of problem a Lyceum service answers with.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemKind { $($(#[doc = $doc])* $name,)+ }

        impl ProblemKind {
            /// All kinds, for the pages that explain them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// Last segment of `type`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)+ }
            }

            /// `title` of the problem.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// A sentence or two for the page `type` resolves to: the comment above each kind.
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),*),)+ }
            }
        }
    };
}

kinds! {
    /// The body is not JSON, or the request is not HTTP as it should be.
    MalformedRequest = 400 "malformed-request" "The request cannot be read";
    /// The cursor was altered, or comes from a list with other filters or another order; begin without one.
    InvalidCursor = 400 "invalid-cursor" "The cursor is not one of this list";
    /// No token, or one that does not count.
    Unauthenticated = 401 "unauthenticated" "Valid credentials are needed";
    /// E-mail address and password do not belong together.
    InvalidCredentials = 401 "invalid-credentials" "E-mail address or password is wrong";
    /// The refresh token is spent, ended or unknown.
    SessionEnded = 401 "session-ended" "The session has ended";
    /// The caller is known and may not do this.
    Forbidden = 403 "forbidden" "The caller may not do this";
    /// There is no such thing, or not for this caller.
    NotFound = 404 "not-found" "There is no such resource";
    /// The path exists; the method does not.
    MethodNotAllowed = 405 "method-not-allowed" "The resource does not have this method";
    /// The request took longer than it may.
    RequestTimeout = 408 "request-timeout" "The request took too long";
    /// The request is right, the state of things is not.
    Conflict = 409 "conflict" "The state of the resource does not allow this";
    /// The link was followed already, is too old, or never was one; ask for another.
    LinkSpent = 410 "link-spent" "The link no longer works";
    /// The resource has changed since the caller read it.
    PreconditionFailed = 412 "precondition-failed" "The resource has changed meanwhile";
    /// The body is larger than it may be.
    ContentTooLarge = 413 "content-too-large" "The body is too large";
    /// The body is not `application/json`.
    UnsupportedMediaType = 415 "unsupported-media-type" "The body must be application/json";
    /// Readable, but not something that can be.
    ValidationError = 422 "validation-error" "The request has faults";
    /// The `Idempotency-Key` was sent before, with another request; a new request takes a new key.
    IdempotencyKeyReused = 422 "idempotency-key-reused" "The idempotency key belongs to another request";
    /// The resource must be read before it is changed.
    PreconditionRequired = 428 "precondition-required" "If-Match is needed";
    /// Too often; `Retry-After` says when.
    TooManyRequests = 429 "too-many-requests" "Too many requests";
    /// The fault is ours.
    InternalError = 500 "internal-error" "Something went wrong on our side";
    /// A peer is broken.
    BadGateway = 502 "bad-gateway" "A service this answer needs is failing";
    /// Not now; `Retry-After` says when.
    Unavailable = 503 "unavailable" "The service cannot answer now";
    /// A peer cannot be asked now; `Retry-After` says when. The service that answers this works itself.
    PeerUnavailable = 503 "peer-unavailable" "A service this answer needs cannot be asked now";
    /// A peer is too slow.
    GatewayTimeout = 504 "gateway-timeout" "A service this answer needs is too slow";
}

impl ProblemKind {
    /// Whether it tells of the trouble of another service than the one that answers, which works
    /// itself and has done for the request what could be done.
    pub const fn is_of_a_peer(self) -> bool {
        matches!(
            self,
            Self::BadGateway | Self::PeerUnavailable | Self::GatewayTimeout
        )
    }

    /// `type` of the problem: a URI reference that resolves on every service.
    pub fn type_uri(self) -> String {
        format!("/problems/{}", self.slug())
    }

    /// The kind of a `type`, as a client of ours reads it back.
    pub fn from_type_uri(uri: &str) -> Option<Self> {
        let slug = uri.strip_prefix("/problems/")?;
        Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }

    /// The problem without particulars.
    pub fn problem(self) -> Problem {
        Problem {
            r#type: self.type_uri(),
            title: self.title().to_owned(),
            status: self.status(),
            detail: None,
            instance: None,
            trace_id: None,
            errors: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_kind_has_a_type_of_its_own_that_reads_back() {
        let slugs: HashSet<_> = ProblemKind::ALL.iter().map(|kind| kind.slug()).collect();
        assert_eq!(slugs.len(), ProblemKind::ALL.len());
        for kind in ProblemKind::ALL {
            assert_eq!(ProblemKind::from_type_uri(&kind.type_uri()), Some(*kind));
        }
    }
}
