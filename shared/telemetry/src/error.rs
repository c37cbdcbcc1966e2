//! Why telemetry could not start or stop.

use thiserror::Error;

/// A failure of [`init`](crate::init) or [`Telemetry::shutdown`](crate::Telemetry::shutdown).
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// A setting is out of range or cannot be read.
    #[error("setting `{key}`: {reason}")]
    Setting {
        /// The key as written in a settings file.
        key: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// The OTLP exporter could not be built.
    #[error("the OTLP exporter could not be built")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The Prometheus reader could not be built.
    #[error("the Prometheus reader could not be built")]
    Prometheus(#[from] opentelemetry_sdk::error::OTelSdkError),
    /// This process already has a subscriber.
    #[error("telemetry is already initialised in this process")]
    AlreadyInitialised,
    /// Some spans or metrics were not delivered before the time was over.
    #[error("the last spans or metrics may be lost: {0}")]
    Shutdown(String),
}
