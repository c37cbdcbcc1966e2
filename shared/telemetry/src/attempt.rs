//! One CLIENT span per attempt at an HTTP call, and its duration metric.
//! A retried call is a row of sibling spans, each with its own `http.request.resend_count`; there is no CLIENT
//! span around them. What a peer reads in `traceparent` is the span of exactly the attempt that reached it.

mod redact;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use opentelemetry::{KeyValue, propagation::Injector, trace::Status};
use std::time::Instant;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{metrics::instruments, server::known_method};
use redact::Target;

/// An attempt under way. Ended by [`answered`](Self::answered) or [`failed`](Self::failed); merely dropped it
/// was cancelled by its caller, which is not an error and leaves the span's status unset.
#[derive(Debug)]
#[must_use = "an attempt that is dropped counts as cancelled"]
pub struct AttemptSpan {
    span: Span,
    started: Instant,
    labels: Vec<KeyValue>,
    status: Option<u16>,
    error_type: Option<String>,
}

impl AttemptSpan {
    /// Starts the span as a child of the current one. `resend_count` is 0 for the first attempt and is recorded
    /// from 1 on. Of `url`, credentials, fragment and the values of the query never reach the span.
    pub fn start(method: &Method, url: &str, resend_count: u32) -> Self {
        let target = Target::of(url);
        let method = known_method(method.as_str());
        let span = tracing::info_span!(
            "http.client",
            otel.name = method.unwrap_or("HTTP"),
            otel.kind = "client",
            http.request.method = method.unwrap_or("_OTHER"),
            server.address = target.host,
            url.full = target.redacted,
        );
        if let Some(port) = target.port {
            span.set_attribute("server.port", i64::from(port));
        }
        if resend_count > 0 {
            span.set_attribute("http.request.resend_count", i64::from(resend_count));
        }
        let mut labels = vec![
            KeyValue::new("http.request.method", method.unwrap_or("_OTHER")),
            KeyValue::new("server.address", target.host.to_owned()),
        ];
        labels.extend(
            target
                .port
                .map(|port| KeyValue::new("server.port", i64::from(port))),
        );
        Self {
            span,
            started: Instant::now(),
            labels,
            status: None,
            error_type: None,
        }
    }

    /// The span, to run the attempt's future in: `future.instrument(attempt.span().clone())`.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Writes `traceparent`, `tracestate` and `baggage` of this very span.
    pub fn inject(&self, headers: &mut HeaderMap) {
        let context = self.span.context();
        opentelemetry::global::get_text_map_propagator(|propagator| {
            propagator.inject_context(&context, &mut Headers(headers));
        });
    }

    /// Notes that what happens to this attempt was set on purpose: `latency`, `status` or `reset`.
    pub fn injected(&self, fault: &'static str) {
        self.span.set_attribute("lyceum.fault", fault);
    }

    /// Notes the status as soon as the response head is in, for an attempt whose body may still fail.
    pub fn received(&mut self, status: u16) {
        self.status = Some(status);
    }

    /// Ends the attempt with the peer's answer. From 400 on the span is an error with `error.type` = the status.
    pub fn answered(mut self, status: u16) {
        self.status = Some(status);
        if status >= 400 {
            self.error_type = Some(status.to_string());
        }
    }

    /// Ends the attempt without a usable answer. `error_type` is a word of a small fixed set, such as `timeout`.
    pub fn failed(mut self, error_type: &'static str) {
        self.error_type = Some(error_type.to_owned());
    }
}

impl Drop for AttemptSpan {
    fn drop(&mut self) {
        if let Some(status) = self.status {
            self.span
                .set_attribute("http.response.status_code", i64::from(status));
            self.labels.push(KeyValue::new(
                "http.response.status_code",
                i64::from(status),
            ));
        }
        if let Some(error_type) = self.error_type.take() {
            self.span.set_attribute("error.type", error_type.clone());
            self.span.set_status(Status::error(""));
            self.labels.push(KeyValue::new("error.type", error_type));
        }
        // A span ends when it was last left, not when it is closed: leave it now.
        self.span.in_scope(|| ());
        if let Some(instruments) = instruments() {
            instruments
                .client_duration
                .record(self.started.elapsed().as_secs_f64(), &self.labels);
        }
    }
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        // The propagator offers an empty `tracestate` when there is none.
        if value.is_empty() {
            return;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}
