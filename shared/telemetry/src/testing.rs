//! Captures what a test's services say: spans by trace, log lines by trace.
//! Installed once per process, because a process has one subscriber; every trace is recorded and nothing is sent.

use opentelemetry::trace::TraceId;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    metrics::SdkMeterProvider,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use prometheus::Registry;
use std::{
    collections::HashMap,
    io,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;
use tracing_subscriber::{fmt::MakeWriter, util::SubscriberInitExt};

use crate::{
    ServiceIdentity, Telemetry, TelemetryError, TelemetrySettings, lifecycle,
    subscriber::{Log, subscriber},
};

/// How long a test waits for spans before it fails.
const PATIENCE: Duration = Duration::from_secs(5);

static CAPTURED: LazyLock<Captured> = LazyLock::new(install);

/// Everything captured in this process. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Captured(Arc<Store>);

#[derive(Debug, Default)]
struct Store {
    spans: Mutex<HashMap<TraceId, Vec<SpanData>>>,
    lines: Mutex<Vec<String>>,
    changed: Notify,
}

/// Installs the capture if this process has none yet, and returns it.
pub fn capture() -> Captured {
    CAPTURED.clone()
}

/// [`init`](crate::init) as in production, with the log lines kept instead of printed. Nothing else is captured.
///
/// # Errors
/// As [`init`](crate::init).
pub fn init_with_captured_log(
    identity: &ServiceIdentity,
    settings: &TelemetrySettings,
) -> Result<(Telemetry, Captured), TelemetryError> {
    let captured = Captured::default();
    let telemetry = lifecycle::init_with(identity, settings, captured.clone())?;
    Ok((telemetry, captured))
}

fn install() -> Captured {
    let captured = Captured::default();
    let resource = Resource::builder().with_service_name("test").build();
    let tracer = SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_simple_exporter(captured.clone())
        .build();
    let registry = Registry::new();
    let reader = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .build();
    let meter = reader.map_or_else(
        |_| SdkMeterProvider::default(),
        |reader| {
            SdkMeterProvider::builder()
                .with_resource(resource)
                .with_reader(reader)
                .build()
        },
    );
    let log = Log {
        service: "test",
        filter: "info",
        json: true,
        writer: captured.clone(),
    };
    // A test binary that brings a subscriber of its own keeps it and captures nothing.
    if let Ok(subscriber) = subscriber(&tracer, log) {
        drop(subscriber.try_init());
    }
    lifecycle::install(lifecycle::Providers {
        tracer,
        meter,
        registry,
    });
    captured
}

impl Captured {
    /// The ended spans of a trace, in the order they ended. Empty for an unknown or malformed id.
    pub fn spans_of(&self, trace_id: &str) -> Vec<SpanData> {
        let id = TraceId::from_hex(trace_id).unwrap_or(TraceId::INVALID);
        lock(&self.0.spans).get(&id).cloned().unwrap_or_default()
    }

    /// Every ended span of this process.
    pub fn all_spans(&self) -> Vec<SpanData> {
        lock(&self.0.spans).values().flatten().cloned().collect()
    }

    /// The spans of a trace once there are at least `count`: the last ones may end after the answer was read.
    /// Returns what there is after five seconds.
    pub async fn wait_for_spans(&self, trace_id: &str, count: usize) -> Vec<SpanData> {
        let enough = async {
            loop {
                let changed = self.0.changed.notified();
                let spans = self.spans_of(trace_id);
                if spans.len() >= count {
                    return spans;
                }
                changed.await;
            }
        };
        tokio::time::timeout(PATIENCE, enough)
            .await
            .unwrap_or_else(|_| self.spans_of(trace_id))
    }

    /// The JSON log lines that carry this trace id.
    pub fn lines_of(&self, trace_id: &str) -> Vec<serde_json::Value> {
        let parsed = lock(&self.0.lines)
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect::<Vec<serde_json::Value>>();
        parsed
            .into_iter()
            .filter(|line| line["trace_id"] == trace_id)
            .collect()
    }

    /// Every log line so far, as written.
    pub fn lines(&self) -> Vec<String> {
        lock(&self.0.lines).clone()
    }
}

impl SpanExporter for Captured {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut spans = lock(&self.0.spans);
        for span in batch {
            spans
                .entry(span.span_context.trace_id())
                .or_default()
                .push(span);
        }
        drop(spans);
        self.0.changed.notify_waiters();
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Captured {
    type Writer = Captured;

    fn make_writer(&'w self) -> Captured {
        self.clone()
    }
}

impl io::Write for Captured {
    /// The log writes each line in one call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        lock(&self.0.lines).push(String::from_utf8_lossy(line).into_owned());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A test that panicked while it held a lock must not fail the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
