//! What a scripted peer does with a request.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// What to do with one request.
#[derive(Debug, Clone)]
pub struct Act {
    pub(super) after: Duration,
    pub(super) end: End,
}

#[derive(Debug, Clone)]
pub(super) enum End {
    Answer {
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    },
    /// The connection breaks with the request on it.
    Lost,
    /// There is no connection.
    Unreachable,
    /// Nothing, for ever.
    Hang,
}

impl Act {
    /// Answers with JSON.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::answer(status, body.to_string())
            .with(CONTENT_TYPE, HeaderValue::from_static("application/json"))
    }

    /// Answers with a status and nothing else. One that HTTP does not know is 500.
    pub fn status(status: u16) -> Self {
        Self::answer(status, Bytes::new())
    }

    fn answer(status: u16, body: impl Into<Bytes>) -> Self {
        Self::ending(End::Answer {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: HeaderMap::new(),
            body: body.into(),
        })
    }

    /// Breaks the connection: the peer may have acted on the request.
    pub fn lost() -> Self {
        Self::ending(End::Lost)
    }

    /// Lets no connection come about: the peer saw nothing.
    pub fn unreachable() -> Self {
        Self::ending(End::Unreachable)
    }

    /// Says nothing, ever.
    pub fn hang() -> Self {
        Self::ending(End::Hang)
    }

    fn ending(end: End) -> Self {
        Self {
            after: Duration::ZERO,
            end,
        }
    }

    /// The same, but so much later.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }

    /// An answer with one more header; nothing to an act that is none.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let End::Answer { headers, .. } = &mut self.end {
            headers.insert(name, value);
        }
        self
    }
}
