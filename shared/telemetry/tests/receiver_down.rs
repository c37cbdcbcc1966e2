//! A receiver that accepts and never answers holds nobody up. One test, because a process initialises telemetry once.

use lyceum_telemetry::{
    LogFormat, ServiceIdentity, TelemetryError, TelemetrySettings, flush, testing,
};
use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

#[test]
fn a_silent_receiver_delays_neither_requests_nor_the_end() {
    // Connections queue in the backlog and are never answered.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let identity = ServiceIdentity {
        name: "user",
        version: "1.2.3",
        environment: "development".to_owned(),
    };
    let settings = TelemetrySettings {
        otlp_endpoint: Some(format!("http://{}", silent.local_addr().unwrap())),
        sample_ratio: 1.0,
        log_format: LogFormat::Json,
        log_filter: "info".to_owned(),
        export_interval_ms: 10,
        export_timeout_ms: 500,
    };
    let (telemetry, _log) = testing::init_with_captured_log(&identity, &settings).unwrap();

    // More spans than the queue holds: what does not fit is dropped, nobody waits for room.
    let started = Instant::now();
    for _ in 0..5000 {
        drop(tracing::info_span!("request"));
    }
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );

    // On the only thread of a runtime, beside other work.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let started = Instant::now();
    runtime.block_on(flush(Duration::from_millis(100)));
    drop(runtime);
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );

    let started = Instant::now();
    let outcome = telemetry.shutdown();
    assert!(
        matches!(outcome, Err(TelemetryError::Shutdown(_))),
        "{outcome:?}"
    );
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
}
