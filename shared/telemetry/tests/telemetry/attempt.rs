//! The CLIENT span of an attempt.

use http::{HeaderMap, Method};
use lyceum_telemetry::{
    attempt::{AttemptSpan, Target},
    context, metrics_text,
    testing::capture,
};
use opentelemetry::trace::{SpanKind, Status};
use tracing::info_span;

use crate::support::{attribute, attributes, caller};

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
        let target = Target::new("http://ada:pw@course:8002");
        AttemptSpan::start(&target, &Method::GET, "/users/7/courses?cursor=abc", 0).answered(200);
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
            let attempt = AttemptSpan::start(&peer(), &Method::POST, "/", resend_count);
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
            in_trace(|| AttemptSpan::start(&peer(), &Method::GET, "/", 0).answered(status));
        let span = capture().spans_of(&trace_id).remove(0);
        assert_eq!(span.status, expected);
        let error_type = (status >= 400).then(|| status.to_string());
        assert_eq!(attribute(&span, "error.type"), error_type);
    }
}

#[test]
fn a_body_that_breaks_off_keeps_the_status_and_names_the_failure() {
    let trace_id = in_trace(|| {
        let mut attempt = AttemptSpan::start(&peer(), &Method::GET, "/", 0);
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
    let target = Target::new("http://cancelled/");
    let trace_id = in_trace(|| drop(AttemptSpan::start(&target, &Method::GET, "/", 0)));
    let span = capture().spans_of(&trace_id).remove(0);
    assert_eq!(span.status, Status::Unset);
    assert_eq!(attribute(&span, "error.type"), None);
    let line = measured("cancelled");
    assert!(!line.contains("error_type"), "{line}");
}

#[test]
fn in_a_trace_that_is_not_sampled_an_attempt_is_no_span_and_is_measured_all_the_same() {
    capture();
    let caller = caller();
    let request = info_span!(parent: None, "test");
    context::set_remote_parent(&request, &caller.unsampled());
    let target = Target::new("http://unsampled:8002/");
    let mut headers = HeaderMap::new();
    let here = request.in_scope(|| {
        let mut attempt = AttemptSpan::start(&target, &Method::GET, "/", 1);
        attempt.inject(&mut headers);
        attempt.injected("latency");
        attempt.received(200);
        attempt.span().in_scope(|| {
            assert_eq!(context::trace_id(), Some(caller.trace_id.clone()));
        });
        attempt.answered(503);
        context::traceparent().unwrap()
    });
    drop(request);
    assert_eq!(capture().spans_of(&caller.trace_id), []);
    // The peer is told of the request's own span, which is not the caller's.
    assert_eq!(headers["traceparent"], here);
    assert!(
        here.starts_with(&format!("00-{}-", caller.trace_id)) && here.ends_with("-00"),
        "{here}"
    );
    assert!(!here.contains(&caller.span_id), "{here}");
    assert_eq!(headers.len(), 1, "{headers:?}");
    let line = measured("unsampled");
    for label in [
        r#"http_request_method="GET""#,
        r#"http_response_status_code="503""#,
        r#"error_type="503""#,
        r#"server_port="8002""#,
    ] {
        assert!(line.contains(label), "{line}");
    }
}

fn peer() -> Target {
    Target::new("http://peer/")
}

/// How often attempts at `host` were measured, as the metrics say it.
fn measured(host: &str) -> String {
    let text = metrics_text();
    let host = format!(r#"server_address="{host}""#);
    let mut lines = text.lines().filter(|line| {
        line.starts_with("http_client_request_duration_seconds_count") && line.contains(&host)
    });
    lines.next().unwrap_or_else(|| panic!("{text}")).to_owned()
}
