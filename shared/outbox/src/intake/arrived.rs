//! An event that has come, until it has had its effect.

use lyceum_contracts::event::Envelope;
use lyceum_telemetry::context;
use opentelemetry::trace::Status;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::store::Seen;

/// An event, and the span of its effect: in the trace of the request that caused the event, with a
/// link to this delivery.
#[derive(Debug)]
pub struct Arrived<'a> {
    /// The event as it was told.
    pub envelope: &'a Envelope,
    pub(super) span: Span,
}

impl<'a> Arrived<'a> {
    pub(super) fn new(envelope: &'a Envelope) -> Self {
        let name = envelope.event.name();
        let span =
            context::consumer_span(&format!("process {name}"), envelope.traceparent.as_deref());
        span.set_attribute("lyceum.event.id", envelope.event_id.to_string());
        span.set_attribute("lyceum.event.type", name);
        Self { envelope, span }
    }

    /// What is to be kept beside whatever follows from the event later, so that it joins the same
    /// trace.
    pub fn traceparent(&self) -> Option<String> {
        self.span.in_scope(context::traceparent)
    }

    /// Says so, in that trace.
    pub(super) fn taken_in(&self, seen: Seen) {
        self.span.in_scope(|| {
            tracing::info!(
                event = "event.taken_in",
                lyceum.event.id = %self.envelope.event_id,
                lyceum.event.type = self.envelope.event.name(),
                duplicate = seen == Seen::Before,
                "an event was taken in"
            );
        });
    }

    /// The span of the request, which fails as well, is of another trace.
    pub(super) fn failed(&self) {
        self.span.set_attribute("error.type", "database");
        self.span.set_status(Status::error(""));
    }
}
