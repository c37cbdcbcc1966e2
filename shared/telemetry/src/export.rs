//! Builds the two providers, of spans and of metrics, over one Resource.
//! Export runs on the SDK's own threads with a blocking HTTP client, so that it needs no runtime and cannot
//! deadlock one; every export is bounded by `export_timeout_ms`.

use opentelemetry::KeyValue;
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider},
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider},
};
use prometheus::Registry;

use crate::{ServiceIdentity, TelemetryError, TelemetrySettings};

/// What every span and metric says about its process (semantic conventions, `service.*`).
pub(crate) fn resource(identity: &ServiceIdentity) -> Resource {
    Resource::builder()
        .with_attributes([
            KeyValue::new("service.name", identity.name),
            KeyValue::new("service.namespace", "lyceum"),
            KeyValue::new("service.version", identity.version),
            KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()),
            KeyValue::new("deployment.environment.name", identity.environment.clone()),
        ])
        .build()
}

/// Spans: batched to the receiver, or, with export off, given ids and nothing else.
///
/// With export off there is no processor and new traces are not sampled, so that a span is two random numbers
/// and no record, yet log lines and outgoing requests still carry its trace. A caller's decision to sample is
/// kept in the flags that go on to the next service, which may well export.
pub(crate) fn tracer_provider(
    resource: Resource,
    settings: &TelemetrySettings,
) -> Result<SdkTracerProvider, TelemetryError> {
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let Some(base) = settings.endpoint() else {
        return Ok(builder
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
            .build());
    };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{base}/v1/traces"))
        .with_timeout(settings.export_timeout())
        .build()?;
    let batch = BatchConfigBuilder::default()
        .with_scheduled_delay(settings.export_interval())
        .build();
    let processor = BatchSpanProcessor::builder(exporter)
        .with_batch_config(batch)
        .build();
    let ratio = Sampler::TraceIdRatioBased(settings.sample_ratio);
    Ok(builder
        .with_sampler(Sampler::ParentBased(Box::new(ratio)))
        .with_span_processor(processor)
        .build())
}

/// Metrics: always readable as Prometheus text through `registry`, pushed to the receiver when there is one.
pub(crate) fn meter_provider(
    resource: Resource,
    settings: &TelemetrySettings,
    registry: &Registry,
) -> Result<SdkMeterProvider, TelemetryError> {
    let prometheus = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .build()?;
    let builder = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_reader(prometheus);
    let Some(base) = settings.endpoint() else {
        return Ok(builder.build());
    };
    let exporter = opentelemetry_otlp::MetricExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{base}/v1/metrics"))
        .with_timeout(settings.export_timeout())
        .build()?;
    let reader = PeriodicReader::builder(exporter)
        .with_interval(settings.export_interval())
        .build();
    Ok(builder.with_reader(reader).build())
}
