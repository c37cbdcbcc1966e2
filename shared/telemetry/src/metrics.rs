//! The metrics every service shares, and the meter for those of its own.
//! Both readers, Prometheus and OTLP, see every instrument; Prometheus works with export off.
//! Attribute values come from closed sets: no path, id or client-chosen text ever labels a series.

pub use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram, Meter, ObservableGauge, UpDownCounter},
};
use prometheus::{Encoder, TextEncoder};
use std::sync::OnceLock;

use crate::{SCOPE, lifecycle};

/// Bucket bounds in seconds that the semantic conventions advise for `http.*.request.duration`.
const HTTP_SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Bucket bounds in seconds that the semantic conventions advise for `db.client.operation.duration`.
const DATABASE_SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

static INSTRUMENTS: OnceLock<Instruments> = OnceLock::new();

/// The instruments this crate records into.
pub(crate) struct Instruments {
    pub(crate) server_duration: Histogram<f64>,
    pub(crate) server_active: UpDownCounter<i64>,
    pub(crate) client_duration: Histogram<f64>,
    pub(crate) database_duration: Histogram<f64>,
}

/// The meter of this process. Create instruments after [`init`](crate::init): before it, they record nothing.
pub fn meter() -> Meter {
    opentelemetry::global::meter(SCOPE)
}

/// Every metric in the Prometheus text format: what an operations listener answers on `/metrics`.
/// Empty before [`init`](crate::init).
pub fn metrics_text() -> String {
    let Some(registry) = lifecycle::registry() else {
        return String::new();
    };
    let mut text = Vec::new();
    if let Err(error) = TextEncoder::new().encode(&registry.gather(), &mut text) {
        tracing::error!(event = "telemetry.metrics_failed", %error, "metrics could not be written as text");
        text.clear();
    }
    String::from_utf8(text).unwrap_or_default()
}

/// Makes the shared instruments, once the global meter provider is in place.
pub(crate) fn register() {
    INSTRUMENTS.get_or_init(|| Instruments::of(&meter()));
}

/// The shared instruments, or `None` before initialisation.
pub(crate) fn instruments() -> Option<&'static Instruments> {
    INSTRUMENTS.get()
}

impl Instruments {
    fn of(meter: &Meter) -> Self {
        let seconds = |name: &'static str, description: &'static str, bounds: &[f64]| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(description)
                .with_boundaries(bounds.to_vec())
                .build()
        };
        Self {
            server_duration: seconds(
                "http.server.request.duration",
                "Duration of HTTP server requests.",
                &HTTP_SECONDS,
            ),
            server_active: meter
                .i64_up_down_counter("http.server.active_requests")
                .with_unit("{request}")
                .with_description("Number of active HTTP server requests.")
                .build(),
            client_duration: seconds(
                "http.client.request.duration",
                "Duration of HTTP client requests.",
                &HTTP_SECONDS,
            ),
            database_duration: seconds(
                "db.client.operation.duration",
                "Duration of database client operations.",
                &DATABASE_SECONDS,
            ),
        }
    }
}
