//! One logical call: what is asked, and whether asking twice is safe.

use std::pin::{Pin, pin};

use bytes::Bytes;
use http::{HeaderValue, Method};
use lyceum_resilience::deadline::Instant;
use lyceum_telemetry::context;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::cache::{Freshness, Lookup, Reading};
use crate::error::Malformation;
use crate::events::Event;
use crate::{ClientError, Upstream};

/// A request before it is sent, the same for each of its attempts.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<'a> {
    upstream: &'a Upstream,
    operation: &'static str,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Bytes>,
    pub(crate) idempotency_key: Option<HeaderValue>,
    /// Whether a second request after one that may have had its effect does no harm. Fixed here
    /// and never derived from an answer.
    pub(crate) repeatable: bool,
    /// Whether the peer holds the answer back until there is something to tell.
    pub(crate) unhurried: bool,
}

impl Upstream {
    /// A read. `operation` names the span: `service.verb_object`.
    pub fn get(&self, operation: &'static str, path: impl Into<String>) -> Call<'_> {
        Call {
            upstream: self,
            operation,
            method: Method::GET,
            path: path.into(),
            body: None,
            idempotency_key: None,
            repeatable: true,
            unhurried: false,
        }
    }

    /// A read that may be answered by an answer of before: see
    /// [`CacheSettings`](crate::CacheSettings).
    pub fn get_cached(&self, operation: &'static str, path: impl Into<String>) -> CachedCall<'_> {
        CachedCall {
            call: self.get(operation, path),
            freshness: Freshness::Kept,
        }
    }

    /// A POST that is not sent twice unless it says why it may be.
    pub fn post(
        &self,
        operation: &'static str,
        path: impl Into<String>,
        body: &impl Serialize,
    ) -> Call<'_> {
        // Contract types are plain structs, which always serialise; should one ever not, the peer
        // refuses the empty body.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Call {
            method: Method::POST,
            body: Some(body.into()),
            repeatable: false,
            ..self.get(operation, path)
        }
    }
}

impl Call<'_> {
    /// A POST that only reads.
    pub fn idempotent(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// A POST whose effect the peer remembers by a key, made here once for all attempts.
    pub fn keyed(mut self) -> Self {
        let key = uuid::Uuid::new_v4().hyphenated().to_string();
        self.idempotency_key = HeaderValue::try_from(key).ok();
        self.repeatable = self.idempotency_key.is_some();
        self
    }

    /// A read that the peer answers when it has news, asked again and again. How long it takes says
    /// nothing about the peer, so it moves no breaker and no figure, leaves no span, and is left to
    /// its caller to repeat.
    pub(crate) fn unhurried(mut self) -> Self {
        self.repeatable = false;
        self.unhurried = true;
        self
    }

    /// Sends the call under its policies and reads the answer as JSON.
    ///
    /// # Errors
    /// [`ClientError`]: one variant per thing a caller can do about it.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let answer = pin!(async { parse(&self.upstream.send(&self).await?) });
        self.watched(answer).await
    }

    /// Runs `answer` under the span of the logical call, if anybody records it. Pinned where it was
    /// made: it is two kilobytes, which every wrapper around it would move.
    async fn watched<T>(
        &self,
        answer: Pin<&mut impl Future<Output = Result<T, ClientError>>>,
    ) -> Result<T, ClientError> {
        if self.unhurried || context::is_unsampled() {
            return answer.await;
        }
        let span = tracing::info_span!(
            "client.call",
            otel.name = self.operation,
            otel.kind = "internal",
            otel.status_code = Empty,
            "error.type" = Empty,
            lyceum.upstream = self.upstream.name(),
            lyceum.cache = Empty,
        );
        if span.is_disabled() {
            return answer.await;
        }
        let result = answer.instrument(span.clone()).await;
        if let Err(error) = &result {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", error.reason());
        }
        result
    }
}

/// A read that a kept answer may do for, if the upstream's settings keep any.
#[must_use = "a call does nothing until it is awaited"]
pub struct CachedCall<'a> {
    call: Call<'a>,
    freshness: Freshness,
}

impl CachedCall<'_> {
    /// Whether a kept answer that is fresh will do.
    pub fn with(mut self, freshness: Freshness) -> Self {
        self.freshness = freshness;
        self
    }

    /// The answer as JSON, and how old it is.
    ///
    /// # Errors
    /// [`ClientError`], when the peer failed and there is no answer that may stand in.
    pub async fn read<T: DeserializeOwned>(self) -> Result<Reading<T>, ClientError> {
        let Self { call, freshness } = &self;
        let pipeline = call.upstream.0.pipeline.load_full();
        let Some(cache) = &pipeline.cache else {
            return self.call.json().await.map(Reading::new);
        };
        let deadline = pipeline.deadline(Instant::now());
        let ask = async || {
            let body = call.upstream.send_by(call, deadline).await?;
            // What nobody can read is not kept, and what is kept must not keep the whole buffer of
            // a connection, of which it is a part.
            parse::<T>(&body).map(|_| Bytes::copy_from_slice(&body))
        };
        // Boxed: what moka needs to wait for others is ten times the rest of a call.
        let mut answer = Box::pin(async {
            let patience = pipeline.limits.attempt / 2;
            let answer = cache
                .read(&call.path, *freshness, deadline, patience, ask)
                .await;
            let lookup = answer
                .as_ref()
                .map_or(Lookup::Failed, |(_, lookup)| *lookup);
            Span::current().record("lyceum.cache", lookup.word());
            call.upstream.0.observer.tell(&Event::Cache { lookup });
            let (reading, _) = answer?;
            parse(&reading.value).map(|value| reading.map(|_| value))
        });
        call.watched(answer.as_mut()).await
    }
}

/// The parser's own message quotes what it read, which may be personal: only the place is kept.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        ClientError::Malformed(Malformation::Json { line, column })
    })
}
