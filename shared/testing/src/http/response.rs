//! A whole answer, and the few questions a test asks of it.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use lyceum_contracts::problem::{MEDIA_TYPE, Problem};
use serde::de::DeserializeOwned;

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Response {
    pub(super) fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self {
            status: status.as_u16(),
            headers,
            body,
        }
    }

    /// The first header of this name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text; what is not UTF-8 shows as �.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not a `T`: with status and body.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in a {}: {}", self.status, self.text()))
    }

    /// The answer itself, when it has this status.
    ///
    /// # Panics
    /// Otherwise, with the body.
    #[track_caller]
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the check is made; many tests want no more"
    )]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The problem in the body.
    ///
    /// # Panics
    /// When the answer is not a problem that agrees with its own status line.
    #[track_caller]
    pub fn problem(&self) -> Problem {
        assert_eq!(
            self.header("content-type"),
            Some(MEDIA_TYPE),
            "a {}: {}",
            self.status,
            self.text()
        );
        let problem: Problem = self.json();
        assert_eq!(problem.status, self.status, "{problem:?}");
        problem
    }
}
