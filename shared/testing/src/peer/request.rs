//! A request as a peer received it.

use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use serde::de::DeserializeOwned;

use crate::socket::Message;

/// What a caller sent, and when its last byte had arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// `GET`, `POST` …
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// What follows the `?`; empty without one.
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// When the request was complete.
    pub at: Instant,
}

impl Received {
    pub(crate) fn parse(message: Message) -> Self {
        let mut words = message.start_line.split(' ');
        let method = words.next().unwrap_or_default();
        let target = words.next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: message.headers,
            body: message.body,
            at: Instant::now(),
        }
    }

    /// The first header of this name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The token of `Authorization: Bearer …`.
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not a `T`: with the body.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }
}
