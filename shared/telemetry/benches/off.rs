//! What telemetry costs, most of all while nothing is exported: nanoseconds per piece of work, printed one a line.
//! An attempt is compared with the same headers made without it. A process initialises telemetry once, so that spans
//! are recorded in a second one.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark reports on standard output"
)]

use http::{HeaderMap, HeaderValue, Method};
use lyceum_telemetry::{
    LogFormat, ServiceIdentity, Telemetry, TelemetrySettings,
    attempt::{AttemptSpan, Target},
    context, init,
};
use std::{env, hint::black_box, process::Command, time::Instant};
use tracing::info_span;

const ROUNDS: u32 = 20_000;
/// The argument of the process that records.
const RECORDED: &str = "recorded";
/// Where spans are sent to: nobody listens, they are lost behind the queue of the exporter.
const NOWHERE: &str = "http://127.0.0.1:9";

fn main() {
    if env::args().any(|argument| argument == RECORDED) {
        recorded();
    } else {
        off();
        let itself = env::current_exe().unwrap();
        let child = Command::new(itself).arg(RECORDED).status().unwrap();
        assert!(child.success(), "{child}");
    }
}

fn off() {
    measure(
        "baseline of an attempt: its `traceparent`, constant",
        || {
            let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", HeaderValue::from_static(traceparent));
            black_box(headers);
        },
    );
    let peer = Target::new("http://course:8002");
    measure("an attempt, before telemetry is started", || {
        attempt(&peer);
    });

    let telemetry = start(None);
    measure("a DEBUG span, disabled at its call site", || {
        drop(tracing::debug_span!("quiet"));
    });
    measure("a DEBUG event, filtered", || {
        tracing::debug!(event = "bench.quiet", "quiet");
    });
    measure("an INFO span with ids, entered and left", || {
        info_span!("unit").in_scope(|| black_box(()));
    });
    info_span!("request").in_scope(|| {
        measure("an attempt in a request sampled out", || attempt(&peer));
    });
    measure("an attempt outside any request, sampled out", || {
        attempt(&peer);
    });
    telemetry.shutdown().unwrap();
}

fn recorded() {
    let telemetry = start(Some(NOWHERE));
    let peer = Target::new("http://course:8002");
    info_span!("request").in_scope(|| {
        assert!(!context::is_unsampled());
        measure("an attempt in a request, recorded", || attempt(&peer));
    });
    drop(telemetry);
}

/// One attempt as a client makes it: span, `traceparent`, duration.
fn attempt(peer: &Target) {
    let attempt = AttemptSpan::start(peer, &Method::GET, "/users/7/courses", 0);
    let mut headers = HeaderMap::new();
    attempt.inject(&mut headers);
    attempt.span().in_scope(|| black_box(headers));
    attempt.answered(200);
}

fn start(otlp_endpoint: Option<&str>) -> Telemetry {
    let identity = ServiceIdentity {
        name: "bench",
        version: "0",
        environment: "development".to_owned(),
    };
    let settings = TelemetrySettings {
        otlp_endpoint: otlp_endpoint.map(str::to_owned),
        sample_ratio: 1.0,
        log_format: LogFormat::Json,
        log_filter: "info,opentelemetry=off,opentelemetry_sdk=off".to_owned(),
        export_interval_ms: 1000,
        export_timeout_ms: 1000,
    };
    init(&identity, &settings).unwrap()
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
