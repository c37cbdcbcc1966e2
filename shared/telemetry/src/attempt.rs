//! One CLIENT span per attempt at an HTTP call, and its duration metric.
//! A retried call is a row of sibling spans, each with its own `http.request.resend_count`; there is no CLIENT
//! span around them. What a peer reads in `traceparent` is the span of exactly the attempt that reached it.
//!
//! In a trace that is not sampled no attempt has a span: making one and entering it at every poll costs more than
//! the rest of a call. The peer then reads the span the call is made in, the request's, and is told not to sample.

mod propagate;
mod target;

use http::{HeaderMap, Method};
use opentelemetry::{Context, KeyValue, metrics::Histogram, trace::Status};
use std::{borrow::Cow, net::SocketAddr, time::Instant};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{context, metrics::instruments, server::known_method};
pub use target::Target;

/// An attempt under way. Ended by [`answered`](Self::answered) or [`failed`](Self::failed); merely dropped it
/// was cancelled by its caller, which is not an error and leaves the span's status unset.
#[derive(Debug)]
#[must_use = "an attempt that is dropped counts as cancelled"]
pub struct AttemptSpan {
    span: Span,
    measured: Option<Measured>,
    status: Option<u16>,
    error_type: Option<Cow<'static, str>>,
}

/// What the duration metric is told at the end, where there is one.
#[derive(Debug)]
struct Measured {
    duration: &'static Histogram<f64>,
    started: Instant,
    method: &'static str,
    target: Target,
}

impl AttemptSpan {
    /// Starts the span as a child of the current one; in a trace that is not sampled there is none.
    /// `resend_count` is 0 for the first attempt and is recorded from 1 on. Of `path_and_query`, fragment and the
    /// values of the query never reach the span.
    pub fn start(
        target: &Target,
        method: &Method,
        path_and_query: &str,
        resend_count: u32,
    ) -> Self {
        let method = known_method(method.as_str());
        let span = if context::is_unsampled() {
            Span::none()
        } else {
            // The fields are read only when a subscriber takes the span.
            tracing::info_span!(
                "http.client",
                otel.name = method.unwrap_or("HTTP"),
                otel.kind = "client",
                http.request.method = method.unwrap_or("_OTHER"),
                http.request.resend_count = (resend_count > 0).then(|| i64::from(resend_count)),
                server.address = target.host(),
                server.port = target.port().map(i64::from),
                url.full = %target.url(path_and_query),
            )
        };
        Self {
            span,
            measured: Measured::start(method.unwrap_or("_OTHER"), target),
            status: None,
            error_type: None,
        }
    }

    /// An attempt that nobody watches: no span, and not measured.
    pub fn none() -> Self {
        Self {
            span: Span::none(),
            measured: None,
            status: None,
            error_type: None,
        }
    }

    /// The span, to run the attempt's future in: `future.instrument(attempt.span().clone())`.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Writes `traceparent`, `tracestate` and `baggage` of this very span; without one, those of the span the
    /// attempt is made in.
    pub fn inject(&self, headers: &mut HeaderMap) {
        if self.span.is_disabled() {
            Context::map_current(|context| propagate::inject(context, headers));
        } else {
            propagate::inject(&self.span.context(), headers);
        }
    }

    /// Notes which of the peer's several addresses this attempt goes to.
    pub fn goes_to(&self, address: SocketAddr) {
        if !self.span.is_disabled() {
            self.span
                .set_attribute("network.peer.address", address.ip().to_string());
            self.span
                .set_attribute("network.peer.port", i64::from(address.port()));
        }
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
            self.error_type = Some(status.to_string().into());
        }
    }

    /// Ends the attempt without a usable answer. `error_type` is a word of a small fixed set, such as `timeout`.
    pub fn failed(mut self, error_type: &'static str) {
        self.error_type = Some(error_type.into());
    }

    fn end_span(&self) {
        if let Some(status) = self.status {
            self.span
                .set_attribute("http.response.status_code", i64::from(status));
        }
        if let Some(error_type) = &self.error_type {
            self.span.set_attribute("error.type", error_type.clone());
            self.span.set_status(Status::error(""));
        }
        // A span ends when it was last left, not when it is closed: leave it now.
        self.span.in_scope(|| ());
    }
}

impl Drop for AttemptSpan {
    fn drop(&mut self) {
        if !self.span.is_disabled() {
            self.end_span();
        }
        if let Some(measured) = self.measured.take() {
            measured.end(self.status, self.error_type.take());
        }
    }
}

impl Measured {
    fn start(method: &'static str, target: &Target) -> Option<Self> {
        Some(Self {
            duration: &instruments()?.client_duration,
            started: Instant::now(),
            method,
            target: target.clone(),
        })
    }

    fn end(self, status: Option<u16>, error_type: Option<Cow<'static, str>>) {
        let seconds = self.started.elapsed().as_secs_f64();
        let Self {
            duration,
            method,
            target,
            ..
        } = self;
        if let (Some(status), None) = (status, &error_type)
            && let Some(series) = target.usual(duration, method, status)
        {
            return series.record(seconds);
        }
        let mut labels = target.labels(method, status);
        labels.extend(error_type.map(|error_type| KeyValue::new("error.type", error_type)));
        duration.record(seconds, &labels);
    }
}
