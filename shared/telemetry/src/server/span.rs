//! The life of one SERVER span: begun from a request, told its route and status, ended exactly once.
//! Without a status it ended before the answer: the caller has left, or the end of a drain has cut it off.

use actix_web::{
    Error,
    body::{BodySize, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::StatusCode,
};
use opentelemetry::{
    KeyValue,
    metrics::Histogram,
    trace::{Status, TraceContextExt},
};
use std::{sync::Arc, time::Instant};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{body::TracedBody, describe::Request, remote, route::Route};
use crate::{context, metrics::instruments};

/// Target of the lines that tell of every request: `log_filter = "info,access=off"` is without them.
pub(crate) const ACCESS_LOG: &str = "access";

/// What most requests are, and how they end.
const USUAL: (Option<&str>, &str, &str, Option<StatusCode>) =
    (Some("GET"), "http", "1.1", Some(StatusCode::OK));

/// A request under way. It ends when this is dropped.
pub(super) struct RequestSpan {
    span: Span,
    started: Instant,
    method: Option<&'static str>,
    active: [KeyValue; 2],
    scheme: &'static str,
    protocol: &'static str,
    route: Option<Arc<Route>>,
    status: Option<StatusCode>,
}

impl RequestSpan {
    /// Begins the span, as a child of the caller's when the headers name one, and counts the request as active.
    pub(super) fn start(request: &ServiceRequest) -> Self {
        let described = Request::of(request);
        let span = described.span(request);
        if let Some(caller) = remote::caller(request.headers()) {
            context::adopt(&span, caller);
        }
        let Request {
            method,
            scheme,
            protocol,
        } = described;
        let active = [
            KeyValue::new("http.request.method", method.unwrap_or("_OTHER")),
            KeyValue::new("url.scheme", scheme),
        ];
        if let Some(instruments) = instruments() {
            instruments.server_active.add(1, &active);
        }
        Self {
            span,
            started: Instant::now(),
            method,
            active,
            scheme,
            protocol,
            // A request that a middleware gives up on, for its deadline or a panic, never comes back.
            route: Route::of(request.request()),
            status: None,
        }
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// Takes the outcome of the inner service; the span lives on in the body when the body has an end in sight.
    pub(super) fn finish<B: MessageBody>(
        mut self,
        outcome: Result<ServiceResponse<B>, Error>,
    ) -> Result<ServiceResponse<TracedBody<B>>, Error> {
        let response = match outcome {
            Ok(response) => response,
            Err(error) => {
                self.status = Some(error.as_response_error().status_code());
                return Err(error);
            }
        };
        self.status = Some(response.status());
        Ok(response.map_body(|_, body| match body.size() {
            BodySize::None | BodySize::Sized(_) => TracedBody::until_complete(body, self),
            BodySize::Stream => TracedBody::within(body, self.span.context()),
        }))
    }

    /// Runs `work` in the span.
    pub(super) fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        self.span.in_scope(work)
    }

    fn labels(&self) -> Vec<KeyValue> {
        let mut labels = Vec::with_capacity(6);
        labels.extend(self.active.iter().cloned());
        labels.push(KeyValue::new("network.protocol.version", self.protocol));
        labels.extend(
            self.route
                .as_ref()
                .map(|route| KeyValue::new("http.route", Arc::clone(&route.template))),
        );
        if let Some(status) = self.status {
            labels.push(KeyValue::new(
                "http.response.status_code",
                i64::from(status.as_u16()),
            ));
            if status.is_server_error() {
                labels.push(KeyValue::new("error.type", status.as_str().to_owned()));
            }
        }
        labels
    }

    fn measure(&self, duration: &Histogram<f64>) {
        let seconds = self.started.elapsed().as_secs_f64();
        let outcome = (self.method, self.scheme, self.protocol, self.status);
        match &self.route {
            Some(route) if outcome == USUAL => {
                let usual = route.usual.get_or_init(|| duration.bind(&self.labels()));
                usual.record(seconds);
            }
            _ => duration.record(seconds, &self.labels()),
        }
    }

    /// The line of a request in the access log. It repeats the span, so it is no event of the span.
    fn log(&self) {
        let method = self.method.unwrap_or("_OTHER");
        let route = self.route.as_ref().map(|route| &*route.template);
        let duration_ms = self.started.elapsed().as_secs_f64() * 1_000.0;
        if let Some(status) = self.status {
            tracing::info!(
                target: ACCESS_LOG,
                event = "http.answered",
                method,
                route,
                status = status.as_u16(),
                duration_ms,
                "answered"
            );
        } else {
            tracing::info!(
                target: ACCESS_LOG,
                event = "http.abandoned",
                method,
                route,
                duration_ms,
                "ended before the answer"
            );
        }
    }

    fn record_outcome(&self) {
        if let Some(route) = &self.route {
            let method = self.method.unwrap_or("HTTP");
            let route = &route.template;
            self.span.set_attribute("http.route", Arc::clone(route));
            self.span
                .context()
                .span()
                .update_name(format!("{method} {route}"));
        }
        if let Some(status) = self.status {
            self.span
                .set_attribute("http.response.status_code", i64::from(status.as_u16()));
            if status.is_server_error() {
                self.span
                    .set_attribute("error.type", status.as_str().to_owned());
                self.span.set_status(Status::error(""));
            }
        }
    }
}

impl Drop for RequestSpan {
    fn drop(&mut self) {
        self.record_outcome();
        // A span ends when it was last left, not when it is closed: leave it now.
        self.span.in_scope(|| self.log());
        if let Some(instruments) = instruments() {
            instruments.server_active.add(-1, &self.active);
            self.measure(&instruments.server_duration);
        }
    }
}
