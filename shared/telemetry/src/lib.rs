//! Traces, metrics and logs of a service. Knows HTTP servers, HTTP attempts and databases, but no service.
//!
//! # One model
//! Code opens spans with `tracing`; tracing-opentelemetry makes them OpenTelemetry spans. There is no second way.
//! [`init`] composes, once per process:
//!
//! | what | goes where | decided by |
//! |---|---|---|
//! | INFO spans of every crate but those an export runs through | OTLP http/protobuf, in batches | `sample_ratio`, or the caller |
//! | events of our crates that carry an `event` field | the span they happen in, named by that field | the span |
//! | log lines | standard output, JSON or pretty, with `trace_id` and `span_id` | `log_filter` |
//! | metrics | [`metrics_text`] always, OTLP too when there is a receiver | – |
//!
//! The log filter never changes a trace. An `error!` never changes a span's status: a request that answers 200 did
//! not fail, whatever it logged on the way.
//!
//! # Who makes which span
//! - [`server::RequestTelemetry`]: SERVER, one per request, `GET /users/{id}`; a child of the caller's span.
//! - [`attempt::AttemptSpan`]: CLIENT, one per attempt at a call; writes the `traceparent` of that very span. None in
//!   a trace that is not sampled, where it writes that of the span around it.
//! - [`database::Traced`]: CLIENT, one per statement, `SELECT users`; only inside a recorded trace.
//! - [`context::consumer_span`]: CONSUMER, for a message stored with its `traceparent` and handled later.
//!
//! Names are the *stable* ones of the OpenTelemetry semantic conventions. Attributes hold no secret and nothing a
//! person typed: no header but `Host` and `User-Agent`, no query value, no bound value, no text of an error
//! but the `cause` or `error` of our own events, which the log holds as well.
//! `client.address` is the socket's peer, in production the proxy. What labels a metric comes from a closed set.
//!
//! # Off
//! Without `otlp_endpoint` nothing is exported and nothing recorded: there is no exporter thread, new traces are not
//! sampled, and inside one spans of calls and of statements are not even made. What stays is a trace id and a span
//! id per request, because log lines and the next service need them. Spans below INFO are disabled at their call site.
//!
//! # Start and stop
//! ```no_run
//! # use lyceum_telemetry::{ServiceIdentity, TelemetryError, TelemetrySettings};
//! # fn serve() {}
//! # fn main_like(settings: &TelemetrySettings) -> Result<(), TelemetryError> {
//! let identity = ServiceIdentity { name: "user", version: "0.1.0", environment: "development".to_owned() };
//! let telemetry = lyceum_telemetry::init(&identity, settings)?;
//! serve();
//! telemetry.shutdown() // blocks, bounded: off the runtime and last of all
//! # }
//! ```
//! Exports run on threads of the SDK with a blocking HTTP client, so that they need no runtime and cannot deadlock
//! one. A receiver that is down or silent costs log lines and lost spans, never a request.

pub mod attempt;
pub mod context;
pub mod database;
mod error;
mod export;
mod lifecycle;
mod log;
pub mod metrics;
pub mod server;
mod settings;
mod span_events;
mod subscriber;
#[cfg(feature = "testing")]
pub mod testing;

pub use error::TelemetryError;
pub use lifecycle::{Telemetry, flush, init};
pub use metrics::metrics_text;
pub use settings::{LogFormat, ServiceIdentity, TelemetrySettings};

/// The instrumentation scope of every span and metric made here.
const SCOPE: &str = "lyceum";
