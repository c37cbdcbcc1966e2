//! Composes the process's one subscriber: spans to OpenTelemetry, events to the log and into their spans.
//! The log filter decides about log lines only; it can neither cut a trace nor flood it.

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::io::IsTerminal;
use tracing::{Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, Targets, filter_fn},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
};

use crate::{
    SCOPE, TelemetryError,
    log::{Json, Pretty},
    span_events::SpanEvents,
};

/// Crates at work while an export is sent. Their spans must never be exported: each export would make more of
/// them, for ever (opentelemetry-rust#2877).
const EXPORT_PATH: [&str; 9] = [
    "h2",
    "hyper",
    "hyper_util",
    "opentelemetry",
    "opentelemetry_http",
    "opentelemetry_otlp",
    "opentelemetry_sdk",
    "reqwest",
    "rustls",
];

/// Where log lines go and how they look.
pub(crate) struct Log<'a, W> {
    pub(crate) service: &'static str,
    pub(crate) filter: &'a str,
    pub(crate) json: bool,
    pub(crate) writer: W,
}

/// Builds the subscriber.
///
/// # Errors
/// [`TelemetryError::Setting`] when the log's filter is not one.
pub(crate) fn subscriber<W>(
    provider: &SdkTracerProvider,
    log: Log<'_, W>,
) -> Result<impl Subscriber + Send + Sync + use<W>, TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter =
        EnvFilter::builder()
            .parse(log.filter)
            .map_err(|error| TelemetryError::Setting {
                key: "telemetry.log_filter",
                reason: error.to_string(),
            })?;
    // A line that cannot be written is lost; the layer would complain with `eprintln!`, which panics on a closed pipe.
    let lines = fmt::layer()
        .with_writer(log.writer)
        .log_internal_errors(false);
    let lines = if log.json {
        lines
            .event_format(Json {
                service: log.service,
            })
            .boxed()
    } else {
        lines
            .with_ansi(std::io::stdout().is_terminal())
            .event_format(Pretty)
            .boxed()
    };
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(SCOPE))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_level(false)
        .with_target(false);
    // Events reach spans through `SpanEvents` alone, and lines take their ids from the OpenTelemetry context: the
    // log needs no spans of its own.
    Ok(Registry::default()
        .with(spans.with_filter(exported_spans().and(filter_fn(is_span))))
        .with(SpanEvents.with_filter(filter_fn(is_own_event)))
        .with(lines.with_filter(filter.and(filter_fn(is_event)))))
}

/// INFO spans of any crate that is not on the way of an export. Static, so that `tracing` decides once per call
/// site and a disabled span costs one atomic load.
fn exported_spans() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_targets(EXPORT_PATH.map(|target| (target, LevelFilter::OFF)))
}

/// Events of the project's own crates, INFO and above.
fn is_own_event(metadata: &Metadata<'_>) -> bool {
    is_event(metadata)
        && *metadata.level() <= LevelFilter::INFO
        && metadata.target().starts_with("lyceum")
}

fn is_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span()
}

fn is_event(metadata: &Metadata<'_>) -> bool {
    metadata.is_event()
}
