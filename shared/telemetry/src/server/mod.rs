//! One SERVER span, one duration and one place among the active requests for every request of an actix-web app.
//!
//! The span joins the caller's trace, is named `{METHOD} {route template}` once the route is known, and ends with
//! the last byte of the body. A body of unknown length (SSE, an upgrade to WebSocket) may flow for hours: there
//! the span ends with the response head, as do the duration and the active count, and log lines of the
//! stream still name its trace, and its statements make no spans. A request whose future is dropped, because its client has gone or a drain is
//! at its end, ends without a status code and without an error: nobody was answered and nothing failed. Each leaves one line in the access log, with
//! the ids of its trace: route, status, duration, nothing of the caller.

mod body;
mod describe;
mod remote;
mod route;
mod span;

use actix_web::{
    Error,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
};
use futures_util::future::{LocalBoxFuture, Ready, ready};
use tracing::Instrument;

pub use body::TracedBody;
pub(crate) use describe::known_method;
pub(crate) use span::ACCESS_LOG;
use span::RequestSpan;

/// The middleware. Wrap it outermost, so that the time and the failures of all others are seen too.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestTelemetry {
    without: &'static [&'static str],
}

impl RequestTelemetry {
    /// Observes every request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves out requests to exactly these paths, for probes and scrapers: no span, no metric, and no span
    /// for what they do in the database.
    #[must_use]
    pub fn without(self, paths: &'static [&'static str]) -> Self {
        Self { without: paths }
    }
}

impl<S, B> Transform<S, ServiceRequest> for RequestTelemetry
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<TracedBody<B>>;
    type Error = Error;
    type Transform = RequestTelemetryService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(RequestTelemetryService {
            service,
            without: self.without,
        }))
    }
}

/// What [`RequestTelemetry`] makes of an app's service.
#[derive(Debug)]
pub struct RequestTelemetryService<S> {
    service: S,
    without: &'static [&'static str],
}

impl<S, B> Service<ServiceRequest> for RequestTelemetryService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<TracedBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        if self.without.contains(&request.path()) {
            let response = self.service.call(request);
            return Box::pin(async move {
                Ok(response
                    .await?
                    .map_body(|_, body| TracedBody::unobserved(body)))
            });
        }
        let observed = RequestSpan::start(&request);
        // The part of a service that runs before its future is polled belongs to the span too.
        let response = observed.span().in_scope(|| self.service.call(request));
        let response = response.instrument(observed.span().clone());
        Box::pin(async move { observed.finish(response.await) })
    }
}
