//! Export off: nothing is recorded, everything still hangs together. One test, because a process initialises
//! telemetry once.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

use lyceum_telemetry::{
    LogFormat, ServiceIdentity, TelemetrySettings,
    attempt::{AttemptSpan, Target},
    context, init, metrics_text, testing,
};
use opentelemetry::trace::TraceContextExt;

#[test]
fn without_a_receiver_traces_are_carried_on_and_logged_but_not_recorded() {
    let identity = ServiceIdentity {
        name: "user",
        version: "1.2.3",
        environment: "development".to_owned(),
    };
    let settings = TelemetrySettings {
        otlp_endpoint: Some(String::new()),
        sample_ratio: 1.0,
        log_format: LogFormat::Pretty,
        log_filter: "info".to_owned(),
        export_interval_ms: 1000,
        export_timeout_ms: 1000,
    };
    let loud = TelemetrySettings {
        log_filter: "lyceum=loud".to_owned(),
        ..settings.clone()
    };
    let refused = init(&identity, &loud).unwrap_err().to_string();
    assert!(refused.contains("telemetry.log_filter"), "{refused}");

    let (telemetry, log) = testing::init_with_captured_log(&identity, &settings).unwrap();

    let trace_id = tracing::info_span!("request").in_scope(|| {
        tracing::info!(event = "test.happened", "something happened");
        let recording = opentelemetry::Context::current().span().is_recording();
        assert!(!recording, "a span nobody will see was recorded");
        let sent = sent_traceparent();
        assert_eq!(Some(&sent), context::traceparent().as_ref());
        assert!(sent.ends_with("-00"), "{sent}");
        context::trace_id().unwrap()
    });
    assert_eq!(log.lines().len(), 1, "{:?}", log.lines());
    let line = &log.lines()[0];
    assert!(
        line.contains("something happened") && line.contains(&format!("trace_id={trace_id}")),
        "{line}"
    );

    // A caller that samples is believed: the service after this one may export.
    let span = tracing::info_span!("request");
    context::set_remote_parent(
        &span,
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    );
    let sent = span.in_scope(sent_traceparent);
    assert!(
        sent.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && sent.ends_with("-01"),
        "{sent}"
    );

    assert!(metrics_text().contains("http_client_request_duration_seconds_count"));
    telemetry.shutdown().unwrap();
}

fn sent_traceparent() -> String {
    let target = Target::new("http://peer/");
    let attempt = AttemptSpan::start(&target, &http::Method::GET, "/", 0);
    let mut headers = http::HeaderMap::new();
    attempt.inject(&mut headers);
    attempt.answered(200);
    headers["traceparent"].to_str().unwrap().to_owned()
}
