//! Starts telemetry once per process and stops it within a bound.
//! Waiting for an exporter never happens on an async worker, and a dead receiver cannot hold a process back.

use opentelemetry::propagation::TextMapCompositePropagator;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    metrics::SdkMeterProvider,
    propagation::{BaggagePropagator, TraceContextPropagator},
    trace::SdkTracerProvider,
};
use prometheus::Registry;
use std::{
    io::IsTerminal,
    sync::{OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};
use tracing::dispatcher::{self, Dispatch};
use tracing_subscriber::{fmt::MakeWriter, util::SubscriberInitExt};

use crate::{
    LogFormat, ServiceIdentity, TelemetryError, TelemetrySettings, export, metrics,
    subscriber::{Log, subscriber},
};

static PROVIDERS: OnceLock<Providers> = OnceLock::new();

/// Both signals; cheap handles to what the SDK shares.
#[derive(Clone, Debug)]
pub(crate) struct Providers {
    pub(crate) tracer: SdkTracerProvider,
    pub(crate) meter: SdkMeterProvider,
    /// Where the metrics are read as Prometheus text.
    pub(crate) registry: Registry,
}

/// Telemetry that runs. Keep it until the last request is answered, then call [`Telemetry::shutdown`].
#[derive(Debug)]
#[must_use = "the last spans leave the process in `shutdown`"]
pub struct Telemetry {
    providers: Providers,
    limit: Duration,
}

/// Installs the subscriber, the W3C propagators and both providers for the whole process. Log lines go to
/// standard output.
///
/// # Errors
/// A setting that makes no sense, an exporter that cannot be built, or a second call in one process.
pub fn init(
    identity: &ServiceIdentity,
    settings: &TelemetrySettings,
) -> Result<Telemetry, TelemetryError> {
    init_with(identity, settings, std::io::stdout)
}

/// The same with log lines written elsewhere.
pub(crate) fn init_with<W>(
    identity: &ServiceIdentity,
    settings: &TelemetrySettings,
    writer: W,
) -> Result<Telemetry, TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    settings.check()?;
    install_tls();
    let resource = export::resource(identity);
    let registry = Registry::new();
    let providers = Providers {
        tracer: export::tracer_provider(resource.clone(), settings)?,
        meter: export::meter_provider(resource, settings, &registry)?,
        registry,
    };
    let json = match settings.log_format {
        LogFormat::Json => true,
        LogFormat::Pretty => false,
        LogFormat::Auto => !std::io::stdout().is_terminal(),
    };
    let log = Log {
        service: identity.name,
        filter: &settings.log_filter,
        json,
        writer,
    };
    subscriber(&providers.tracer, log)?
        .try_init()
        .map_err(|_| TelemetryError::AlreadyInitialised)?;
    install(providers.clone());
    Ok(Telemetry {
        providers,
        limit: settings.export_timeout() + Duration::from_secs(1),
    })
}

/// Makes the providers and propagators global. The Rust SDK reads no `OTEL_PROPAGATORS`: they are set here.
pub(crate) fn install(providers: Providers) {
    opentelemetry::global::set_text_map_propagator(TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
    ]));
    // The SDK announces each provider at INFO; a start has better things to say.
    dispatcher::with_default(&Dispatch::none(), || {
        opentelemetry::global::set_tracer_provider(providers.tracer.clone());
        opentelemetry::global::set_meter_provider(providers.meter.clone());
    });
    metrics::register();
    PROVIDERS.get_or_init(|| providers);
}

/// Where [`metrics_text`](crate::metrics_text) reads; `None` before initialisation.
pub(crate) fn registry() -> Option<&'static Registry> {
    PROVIDERS.get().map(|providers| &providers.registry)
}

/// The exporter's TLS needs a default provider before its first client is built.
fn install_tls() {
    // An error means that somebody installed one before: then there is nothing left to do.
    drop(rustls::crypto::ring::default_provider().install_default());
}

impl Telemetry {
    /// Exports what is left of spans and metrics and stops both pipelines. Blocks for at most
    /// `export_timeout_ms` + 1 s, both signals side by side; call it off the runtime, last of all.
    ///
    /// # Errors
    /// [`TelemetryError::Shutdown`] when something could not be delivered in time.
    pub fn shutdown(self) -> Result<(), TelemetryError> {
        let Self {
            providers: Providers { tracer, meter, .. },
            limit,
        } = self;
        in_parallel(
            limit,
            move || tracer.shutdown_with_timeout(limit),
            move || meter.shutdown_with_timeout(limit),
        )
        .map_err(TelemetryError::Shutdown)
    }
}

/// Exports everything recorded so far and returns after `timeout` at the latest. It never blocks the runtime,
/// and does nothing before [`init`]. Failures are the exporter's own log lines.
pub async fn flush(timeout: Duration) {
    let Some(Providers { tracer, meter, .. }) = PROVIDERS.get().cloned() else {
        return;
    };
    let (done, wait) = tokio::sync::oneshot::channel();
    // A thread of its own instead of `spawn_blocking`: a runtime waits for its blocking tasks when it ends.
    let started = thread::Builder::new()
        .name("telemetry-flush".to_owned())
        .spawn(move || {
            let outcome = in_parallel(
                timeout,
                move || tracer.force_flush(),
                move || meter.force_flush(),
            );
            drop(done.send(outcome));
        });
    if started.is_ok() {
        drop(tokio::time::timeout(timeout, wait).await);
    }
}

/// Runs both signals' work on threads of their own and waits for at most `limit` in all.
fn in_parallel(
    limit: Duration,
    spans: impl FnOnce() -> OTelSdkResult + Send + 'static,
    metrics: impl FnOnce() -> OTelSdkResult + Send + 'static,
) -> Result<(), String> {
    let end = Instant::now() + limit;
    let (report, reports) = mpsc::channel();
    let tell = report.clone();
    let threads = [
        thread::Builder::new()
            .name("telemetry-spans".to_owned())
            .spawn(move || drop(report.send(spans()))),
        thread::Builder::new()
            .name("telemetry-metrics".to_owned())
            .spawn(move || drop(tell.send(metrics()))),
    ];
    for thread in threads {
        thread.map_err(|error| error.to_string())?;
    }
    // Both are waited for: one signal's failure must not cut the other short.
    let mut result = Ok(());
    for _ in 0..2 {
        let left = end.saturating_duration_since(Instant::now());
        let outcome = match reports.recv_timeout(left) {
            Ok(outcome) => outcome.map_err(|error| error.to_string()),
            Err(_) => Err(format!("not finished within {limit:?}")),
        };
        result = result.and(outcome);
    }
    result
}
