//! The other end: how a service takes in what the others tell it.
//!
//! A route `POST /internal/events` reads a [`Batch`]; each event has its effect in one transaction
//! with [`remember`], so that a repeat does nothing; and the effect belongs to the trace of what
//! caused it ([`span_of`]).

mod batch;
mod check;
mod entity;
mod migration;
mod retention;
mod store;

use lyceum_contracts::event::Envelope;
use lyceum_telemetry::context;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

pub use self::batch::Batch;
pub use self::check::{EventRule, check};
pub use self::migration::migrations;
pub use self::retention::pruner;
pub use self::store::{Seen, remember};

/// The effect belongs to the trace of the request that caused the event; a link leads to this
/// delivery.
pub fn span_of(envelope: &Envelope) -> Span {
    let name = envelope.event.name();
    let span = context::consumer_span(&format!("process {name}"), envelope.traceparent.as_deref());
    span.set_attribute("lyceum.event.id", envelope.event_id.to_string());
    span.set_attribute("lyceum.event.type", name);
    span
}
