//! What a live receiver gets. One test, because a process initialises telemetry once.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

mod receiver;

use lyceum_telemetry::{
    LogFormat, ServiceIdentity, TelemetryError, TelemetrySettings,
    attempt::{AttemptSpan, Target},
    context, init, metrics_text, testing,
};
use receiver::Receiver;

#[test]
fn spans_and_metrics_reach_the_receiver_until_the_last_moment_and_no_export_is_exported() {
    let receiver = Receiver::start();
    let identity = ServiceIdentity {
        name: "user",
        version: "1.2.3",
        environment: "development".to_owned(),
    };
    let settings = TelemetrySettings {
        otlp_endpoint: Some(receiver.endpoint()),
        sample_ratio: 1.0,
        log_format: LogFormat::Json,
        log_filter: "trace".to_owned(),
        export_interval_ms: 20,
        export_timeout_ms: 5000,
    };
    let (telemetry, log) = testing::init_with_captured_log(&identity, &settings).unwrap();

    let trace_id = tracing::info_span!("request").in_scope(|| {
        let target = Target::new("http://peer:1");
        AttemptSpan::start(&target, &http::Method::GET, "/", 0).answered(200);
        u128::from_str_radix(&context::trace_id().unwrap(), 16)
            .unwrap()
            .to_be_bytes()
    });
    receiver.wait_until(|received| received.spans().len() >= 2 && !received.metrics.is_empty());

    // Ten more exports, each with trace-level events of the HTTP client, and not one more span.
    let before = receiver.received().metrics.len();
    let received = receiver.wait_until(|received| received.metrics.len() >= before + 10);
    assert_eq!(received.span_names(), ["GET", "request"]);
    let exporting = log
        .lines()
        .iter()
        .filter(|line| line.contains(r#""target":"hyper"#))
        .count();
    assert!(
        exporting > 0,
        "the log saw nothing of the exports, so that no loop could have shown"
    );

    assert!(metrics_text().contains("http_client_request_duration_seconds_bucket"));

    drop(tracing::info_span!("last"));
    telemetry.shutdown().unwrap();
    let received = receiver.received();
    assert_eq!(received.span_names(), ["GET", "request", "last"]);
    assert!(
        received
            .spans()
            .iter()
            .take(2)
            .all(|span| span.trace_id == trace_id)
    );
    assert!(
        received
            .metric_names()
            .contains(&"http.client.request.duration".to_owned())
    );

    let resources = received.resources();
    let instance = resources[0]["service.instance.id"].clone();
    let expected = [
        ("deployment.environment.name", "development"),
        ("service.instance.id", &instance),
        ("service.name", "user"),
        ("service.namespace", "lyceum"),
        ("service.version", "1.2.3"),
    ];
    for resource in &resources {
        let told = resource
            .iter()
            .filter(|(key, _)| !key.starts_with("telemetry.sdk."));
        assert!(
            told.map(|(key, value)| (key.as_str(), value.as_str()))
                .eq(expected),
            "{resource:?}"
        );
    }

    assert!(matches!(
        init(&identity, &settings),
        Err(TelemetryError::AlreadyInitialised)
    ));
}
