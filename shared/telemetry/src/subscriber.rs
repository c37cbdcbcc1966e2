//! Composes the process's one subscriber: spans to OpenTelemetry, events to the log and into their spans.
//! The log filter decides about log lines only; it can neither cut a trace nor flood it.

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, FilterFn, Targets, filter_fn},
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

/// Builds the subscriber. `json` chooses the log's form, `writer` where its lines go.
///
/// # Errors
/// [`TelemetryError::Setting`] when `log_filter` is not a filter.
pub(crate) fn subscriber<W>(
    provider: &SdkTracerProvider,
    log_filter: &str,
    json: bool,
    writer: W,
) -> Result<impl Subscriber + Send + Sync + use<W>, TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let log_filter =
        EnvFilter::builder()
            .parse(log_filter)
            .map_err(|error| TelemetryError::Setting {
                key: "telemetry.log_filter",
                reason: error.to_string(),
            })?;
    let log = fmt::layer().with_writer(writer);
    let log = if json {
        log.event_format(Json::default()).boxed()
    } else {
        log.event_format(Pretty::default()).boxed()
    };
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(SCOPE))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_level(false)
        .with_target(false);
    Ok(Registry::default()
        .with(spans.with_filter(exported_spans().and(spans_only())))
        .with(SpanEvents.with_filter(own_events()))
        .with(log.with_filter(log_filter.and(events_only()))))
}

/// INFO spans of any crate that is not on the way of an export. Static, so that `tracing` decides once per call
/// site and a disabled span costs one atomic load.
fn exported_spans() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_targets(EXPORT_PATH.map(|target| (target, LevelFilter::OFF)))
}

/// Events of the project's own crates.
fn own_events() -> FilterFn<fn(&Metadata<'_>) -> bool> {
    filter_fn(|metadata| {
        metadata.is_event()
            && *metadata.level() <= LevelFilter::INFO
            && metadata.target().starts_with("lyceum")
    })
}

/// Events reach spans through [`SpanEvents`] alone.
fn spans_only() -> FilterFn<fn(&Metadata<'_>) -> bool> {
    filter_fn(|metadata| metadata.is_span())
}

/// Lines take their ids from the OpenTelemetry context, so that the log needs no spans of its own.
fn events_only() -> FilterFn<fn(&Metadata<'_>) -> bool> {
    filter_fn(|metadata| metadata.is_event())
}
