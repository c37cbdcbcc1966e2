//! Traces, metrics and logs of a service.

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
