//! What telemetry costs while nothing is exported: nanoseconds per piece of work, printed one a line.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark reports on standard output"
)]

use lyceum_telemetry::{LogFormat, ServiceIdentity, TelemetrySettings, attempt::AttemptSpan, init};
use std::{hint::black_box, time::Instant};

const ROUNDS: u32 = 20_000;

fn main() {
    let identity = ServiceIdentity {
        name: "bench",
        version: "0",
        environment: "development".to_owned(),
    };
    let settings = TelemetrySettings {
        otlp_endpoint: None,
        sample_ratio: 1.0,
        log_format: LogFormat::Json,
        log_filter: "info".to_owned(),
        export_interval_ms: 1000,
        export_timeout_ms: 1000,
    };
    let telemetry = init(&identity, &settings).unwrap();
    measure("a DEBUG span, disabled at its call site", || {
        drop(tracing::debug_span!("quiet"));
    });
    measure("a DEBUG event, filtered", || {
        tracing::debug!(event = "bench.quiet", "quiet");
    });
    measure("an INFO span with ids, entered and left", || {
        tracing::info_span!("unit").in_scope(|| black_box(()));
    });
    measure("an attempt: span, traceparent, duration", || {
        let attempt =
            AttemptSpan::start(&http::Method::GET, "http://course:8002/users/7/courses", 0);
        let mut headers = http::HeaderMap::new();
        attempt.inject(&mut headers);
        attempt.answered(200);
        black_box(headers);
    });
    telemetry.shutdown().unwrap();
}

fn measure(what: &str, work: impl Fn()) {
    let started = Instant::now();
    for _ in 0..ROUNDS {
        work();
    }
    println!(
        "{:>8} ns  {what}",
        started.elapsed().as_nanos() / u128::from(ROUNDS)
    );
}
