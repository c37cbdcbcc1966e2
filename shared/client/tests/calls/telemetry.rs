//! What an operator sees of a call.

use lyceum_telemetry::context;
use lyceum_telemetry::metrics_text;
use lyceum_telemetry::testing::{Captured, capture};
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use tracing::Instrument;

use crate::peer::{Act, Peer};
use crate::{ada, client, stats};

pub(crate) fn attribute(span: &SpanData, key: &str) -> Option<String> {
    let mut found = span.attributes.iter().filter(|kv| kv.key.as_str() == key);
    found.next().map(|kv| kv.value.to_string())
}

/// Runs `work` in a trace of its own; its spans, apart from the one around the test.
pub(crate) async fn traced<F: Future>(
    captured: &Captured,
    spans: usize,
    work: F,
) -> (F::Output, Vec<SpanData>) {
    let (output, trace) = async { (work.await, context::trace_id().unwrap()) }
        .instrument(tracing::info_span!("test"))
        .await;
    let mut seen = captured.wait_for_spans(&trace, spans + 1).await;
    seen.retain(|span| span.name != "test");
    (output, seen)
}

#[tokio::test]
async fn attempts_are_sibling_client_spans_under_one_internal_span() {
    let captured = capture();
    let peer = Peer::new([Act::status(503), stats()]);
    let courses = client(&peer, |_| {});
    let (answer, spans) = traced(&captured, 3, courses.stats_of(ada())).await;
    answer.unwrap();
    let (attempts, calls): (Vec<_>, Vec<_>) = spans
        .iter()
        .partition(|span| span.span_kind == SpanKind::Client);
    let [call] = calls[..] else {
        panic!("{calls:?}")
    };
    assert_eq!(
        (&*call.name, &call.span_kind),
        ("course.stats_of", &SpanKind::Internal)
    );
    assert_eq!(call.status, Status::Unset);
    assert_eq!(
        attribute(call, "lyceum.upstream").as_deref(),
        Some("course")
    );
    assert!(
        !call
            .attributes
            .iter()
            .any(|kv| kv.key.as_str().starts_with("http."))
    );

    let [first, second] = attempts[..] else {
        panic!("{attempts:?}")
    };
    for (attempt, request) in [first, second].into_iter().zip(peer.requests()) {
        assert_eq!(attempt.name, "GET");
        assert_eq!(attempt.parent_span_id, call.span_context.span_id());
        let span_id = attempt.span_context.span_id().to_string();
        assert!(request.header("traceparent").contains(&span_id));
    }
    assert_eq!(attribute(first, "http.request.resend_count"), None);
    assert_eq!(
        attribute(first, "http.response.status_code").as_deref(),
        Some("503")
    );
    assert_eq!(attribute(first, "error.type").as_deref(), Some("503"));
    assert_eq!(
        attribute(second, "http.request.resend_count").as_deref(),
        Some("1")
    );
    assert_eq!(attribute(second, "error.type"), None);
}

#[tokio::test]
async fn in_a_request_that_is_not_sampled_a_call_is_no_span_and_the_peer_reads_the_request() {
    let captured = capture();
    let peer = Peer::new([Act::status(503), stats()]);
    let courses = client(&peer, |_| {});
    let trace = uuid::Uuid::new_v4().simple().to_string();
    let request = tracing::info_span!("test");
    context::set_remote_parent(&request, &format!("00-{trace}-b7ad6b7169203331-00"));
    let call = async {
        courses.stats_of(ada()).await.unwrap();
        context::traceparent().unwrap()
    };
    let here = call.instrument(request).await;
    assert!(
        here.starts_with(&format!("00-{trace}-")) && here.ends_with("-00"),
        "{here}"
    );
    let sent = peer.requests();
    assert_eq!(sent.len(), 2);
    for request in sent {
        assert_eq!(request.header("traceparent"), here);
    }
    assert_eq!(captured.spans_of(&trace), []);
    let port = peer.base_url().replace("http://127.0.0.1:", "");
    let metrics = metrics_text();
    let measured = metrics.lines().filter(|line| {
        line.starts_with("http_client_request_duration_seconds_count")
            && line.contains(&format!("server_port=\"{port}\""))
    });
    assert_eq!(measured.count(), 2, "one of 503, one of 200: {metrics}");
}

#[tokio::test]
async fn a_call_that_fails_says_why_in_one_word() {
    let captured = capture();
    let peer = Peer::new([Act::Bytes(b"nonsense\r\n\r\n".to_vec())]);
    let courses = client(&peer, |_| {});
    let (answer, spans) = traced(&captured, 2, courses.stats_of(ada())).await;
    answer.unwrap_err();
    for span in &spans {
        assert_eq!(
            attribute(span, "error.type").as_deref(),
            Some("malformed"),
            "{span:?}"
        );
        assert!(matches!(span.status, Status::Error { .. }));
    }
}

#[tokio::test]
async fn an_opened_breaker_is_one_log_line_and_a_metric() {
    let captured = capture();
    let peer = Peer::new([Act::status(500)]);
    let courses = client(&peer, |_| {});
    for _ in 0..5 {
        courses.stats_of(ada()).await.unwrap_err();
    }
    let endpoint = peer.base_url().replace("http://", "");
    let told = captured.lines();
    let told: Vec<_> = told
        .iter()
        .filter(|line| line.contains(&endpoint))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains(r#""event":"breaker.opened""#),
        "{}",
        told[0]
    );

    let metrics = metrics_text();
    let metric = |name: &str, labels: &[&str]| {
        metrics
            .lines()
            .any(|line| line.starts_with(name) && labels.iter().all(|label| line.contains(label)))
    };
    let here = format!("endpoint=\"{endpoint}\"");
    let opened = &["to=\"open\"", &here];
    assert!(
        metric("lyceum_client_breaker_transitions_total", opened),
        "{metrics}"
    );
    assert!(metric("lyceum_client_breaker_state", &[&here]), "{metrics}");
    assert!(
        metric("lyceum_client_retries_total", &["reason=\"refused\""]),
        "{metrics}"
    );
    assert!(
        metric("lyceum_client_refusals_total", &["reason=\"circuit_open\""]),
        "{metrics}"
    );
    assert!(
        metric(
            "lyceum_client_retry_budget_balance",
            &["upstream=\"course\""]
        ),
        "{metrics}"
    );
    assert!(
        metric("lyceum_client_bulkhead_queued", &["upstream=\"course\""]),
        "{metrics}"
    );
}
