//! The CLIENT span of an attempt.

use http::{HeaderMap, Method};
use lyceum_telemetry::{attempt::AttemptSpan, context, metrics_text, testing::capture};
use opentelemetry::trace::{SpanKind, Status};
use tracing::info_span;

use crate::support::{attribute, attributes};

/// Runs `work` inside a new trace and returns the trace's id.
fn in_trace(work: impl FnOnce()) -> String {
    capture();
    info_span!(parent: None, "test").in_scope(|| {
        work();
        context::trace_id().unwrap()
    })
}

#[test]
fn an_attempt_tells_where_it_went_and_no_secret() {
    let trace_id = in_trace(|| {
        AttemptSpan::start(
            &Method::GET,
            "http://ada:pw@course:8002/users/7/courses?cursor=abc",
            0,
        )
        .answered(200);
    });
    let span = capture().spans_of(&trace_id).remove(0);
    assert_eq!(span.name, "GET");
    assert_eq!(span.span_kind, SpanKind::Client);
    assert_eq!(span.status, Status::Unset);
    let expected = [
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("server.address", "course"),
        ("server.port", "8002"),
        (
            "url.full",
            "http://REDACTED:REDACTED@course:8002/users/7/courses?cursor=REDACTED",
        ),
    ];
    assert_eq!(
        attributes(&span),
        expected
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    );
}

#[test]
fn retries_are_siblings_and_each_carries_its_own_traceparent() {
    let mut sent = Vec::new();
    let trace_id = in_trace(|| {
        for resend_count in 0..3 {
            let attempt = AttemptSpan::start(&Method::POST, "http://peer/", resend_count);
            let mut headers = HeaderMap::new();
            attempt.inject(&mut headers);
            sent.push(headers["traceparent"].to_str().unwrap().to_owned());
            assert!(!headers.contains_key("tracestate"));
            if resend_count < 2 {
                attempt.failed("timeout");
            } else {
                attempt.answered(201);
            }
        }
    });
    let spans = capture().spans_of(&trace_id);
    let (attempts, parent) = spans.split_at(3);
    for (attempt, sent) in attempts.iter().zip(&sent) {
        assert_eq!(attempt.parent_span_id, parent[0].span_context.span_id());
        assert_eq!(
            sent,
            &format!("00-{trace_id}-{}-01", attempt.span_context.span_id())
        );
    }
    let counts: Vec<_> = attempts
        .iter()
        .map(|span| attribute(span, "http.request.resend_count"))
        .collect();
    assert_eq!(counts, [None, Some("1".to_owned()), Some("2".to_owned())]);
}

#[test]
fn a_refusal_is_an_error_on_this_side() {
    for (status, expected) in [
        (204, Status::Unset),
        (302, Status::Unset),
        (404, Status::error("")),
        (500, Status::error("")),
    ] {
        let trace_id =
            in_trace(|| AttemptSpan::start(&Method::GET, "http://peer/", 0).answered(status));
        let span = capture().spans_of(&trace_id).remove(0);
        assert_eq!(span.status, expected);
        let error_type = (status >= 400).then(|| status.to_string());
        assert_eq!(attribute(&span, "error.type"), error_type);
    }
}

#[test]
fn a_body_that_breaks_off_keeps_the_status_and_names_the_failure() {
    let trace_id = in_trace(|| {
        let mut attempt = AttemptSpan::start(&Method::GET, "http://peer/", 0);
        attempt.received(200);
        attempt.failed("reset");
    });
    let span = capture().spans_of(&trace_id).remove(0);
    assert_eq!(span.status, Status::error(""));
    assert_eq!(
        attribute(&span, "http.response.status_code").as_deref(),
        Some("200")
    );
    assert_eq!(attribute(&span, "error.type").as_deref(), Some("reset"));
}

#[test]
fn cancelling_is_not_an_error() {
    let trace_id = in_trace(|| drop(AttemptSpan::start(&Method::GET, "http://cancelled/", 0)));
    let span = capture().spans_of(&trace_id).remove(0);
    assert_eq!(span.status, Status::Unset);
    assert_eq!(attribute(&span, "error.type"), None);
    let text = metrics_text();
    let line = text.lines().find(|line| {
        line.starts_with("http_client_request_duration_seconds_count")
            && line.contains(r#"server_address="cancelled""#)
    });
    assert!(
        line.is_some_and(|line| !line.contains("error_type")),
        "{text}"
    );
}
