//! Attempts that fail on purpose, and that nothing else can tell from those that fail.

use std::time::{Duration, Instant};

use lyceum_client::faults::{Fault, FaultInjection, FaultOrder, FaultSettings};
use lyceum_client::{ClientError, CourseClient, UpstreamSettings};
use lyceum_resilience::breaker::State;
use lyceum_telemetry::metrics_text;
use lyceum_telemetry::testing::capture;
use opentelemetry::trace::SpanKind;
use serde_json::{Value, json};

use crate::peer::Peer;
use crate::telemetry::{attribute, traced};
use crate::{ada, client, stats};

/// Nothing goes wrong, always.
const NOTHING: FaultOrder = FaultOrder {
    ratio: 1.0,
    latency_ms: 0,
    status: None,
    reset: false,
    times: None,
    for_ms: None,
    seed: Some(1),
};

fn status(status: u16) -> FaultOrder {
    FaultOrder {
        status: Some(status),
        ..NOTHING
    }
}

fn inject(courses: &CourseClient, order: FaultOrder) {
    let fault: Fault = order.check().unwrap().unwrap();
    courses.upstream().inject(fault);
}

fn injected(courses: &CourseClient) -> u64 {
    courses.upstream().fault().injected
}

#[tokio::test]
async fn two_503s_on_purpose_and_the_answer_are_three_sibling_attempts() {
    let captured = capture();
    let peer = Peer::new([stats()]);
    let courses = client(&peer, |settings| settings.attempts = 3);
    let twice = FaultOrder {
        times: Some(2),
        ..status(503)
    };
    let work = async {
        inject(&courses, twice);
        courses.stats_of(ada()).await
    };
    let (answer, spans) = traced(&captured, 4, work).await;
    assert_eq!(answer.unwrap().value.enrolled, 3);

    let (attempts, calls): (Vec<_>, Vec<_>) = spans
        .iter()
        .partition(|span| span.span_kind == SpanKind::Client);
    let seen: Vec<_> = attempts
        .iter()
        .map(|span| {
            assert_eq!(span.parent_span_id, calls[0].span_context.span_id());
            [
                "http.response.status_code",
                "http.request.resend_count",
                "lyceum.fault",
            ]
            .map(|key| attribute(span, key).unwrap_or_default())
        })
        .collect();
    assert_eq!(
        seen,
        [
            ["503", "", "status"],
            ["503", "1", "status"],
            ["200", "2", ""]
        ]
    );
    let numbers: Vec<_> = peer
        .requests()
        .iter()
        .map(|request| request.header("x-attempt").to_owned())
        .collect();
    assert_eq!(numbers, ["3"], "the peer saw the last attempt alone");

    let trace = spans[0].span_context.trace_id().to_string();
    let told: Vec<_> = captured
        .lines_of(&trace)
        .iter()
        .map(|line| {
            (
                line["event"].clone(),
                line["upstream"].clone(),
                line["reason"].clone(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (json!("fault.set"), json!("course"), Value::Null),
            (json!("fault.ended"), json!("course"), json!("times")),
        ]
    );
    assert_eq!(injected(&courses), 2);
    let metrics = metrics_text();
    for metric in ["lyceum_client_faults_total", "lyceum_client_fault_active"] {
        assert!(metrics.contains(metric), "{metrics}");
    }
}

#[tokio::test]
async fn a_reset_on_purpose_may_have_had_its_effect_and_a_get_is_asked_again() {
    let captured = capture();
    let peer = Peer::new([stats()]);
    let courses = client(&peer, |_| {});
    let reset = FaultOrder {
        reset: true,
        ..NOTHING
    };
    inject(
        &courses,
        FaultOrder {
            times: Some(1),
            ..reset
        },
    );
    let (answer, spans) = traced(&captured, 3, courses.stats_of(ada())).await;
    answer.unwrap();
    assert_eq!(
        attribute(&spans[0], "lyceum.fault").as_deref(),
        Some("reset")
    );
    assert_eq!(
        attribute(&spans[0], "error.type").as_deref(),
        Some("unreachable")
    );
    assert_eq!(attribute(&spans[0], "http.response.status_code"), None);

    inject(&courses, reset);
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert_eq!(error, ClientError::Unreachable { sent: true });
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn a_delay_on_purpose_is_part_of_the_attempt() {
    let captured = capture();
    let peer = Peer::new([stats()]);
    let courses = client(&peer, |_| {});
    inject(
        &courses,
        FaultOrder {
            latency_ms: 40,
            ..NOTHING
        },
    );
    let start = Instant::now();
    let (answer, spans) = traced(&captured, 2, courses.stats_of(ada())).await;
    assert_eq!(answer.unwrap().value.enrolled, 3);
    assert!(start.elapsed() >= Duration::from_millis(40));
    assert_eq!(
        attribute(&spans[0], "lyceum.fault").as_deref(),
        Some("latency")
    );
    let took = spans[0]
        .end_time
        .duration_since(spans[0].start_time)
        .unwrap();
    assert!(took >= Duration::from_millis(40), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_delay_beyond_the_time_of_an_attempt_is_a_timeout_that_counts_against_the_peer() {
    let peer = Peer::new([stats()]);
    let courses = client(&peer, |settings| settings.attempts = 1);
    inject(
        &courses,
        FaultOrder {
            latency_ms: 600_000,
            ..status(503)
        },
    );
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert_eq!(error, ClientError::Timeout);
    assert_eq!(courses.upstream().breakers()[0].breaker.window_failures, 1);
    assert!(peer.requests().is_empty());
}

#[tokio::test]
async fn attempts_that_fail_on_purpose_open_the_breaker_and_spend_the_budget() {
    let peer = Peer::new([stats()]);
    let courses = client(&peer, |settings| {
        settings.budget.percent = 50;
        settings.budget.floor_per_second = 0;
        settings.breaker.consecutive_failures = 4;
        settings.breaker.open_ms = 60_000;
    });
    inject(&courses, status(500));
    for _ in 0..3 {
        let error = courses.stats_of(ada()).await.unwrap_err();
        assert_eq!(error.refused_with(), Some(500));
    }
    assert_eq!(injected(&courses), 4, "one repeat was all the budget had");
    let breaker = courses.upstream().breakers().swap_remove(0).breaker;
    assert_eq!(breaker.state, State::Open);

    courses.upstream().heal();
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert!(matches!(error, ClientError::CircuitOpen { .. }), "{error}");
    assert_eq!((injected(&courses), peer.requests().len()), (4, 0));
}

#[tokio::test]
async fn a_4xx_on_purpose_is_an_answer_that_stands() {
    let peer = Peer::new([stats()]);
    let courses = client(&peer, |_| {});
    inject(&courses, status(404));
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert_eq!(error.refused_with(), Some(404));
    assert_eq!(injected(&courses), 1);
    assert_eq!(courses.upstream().breakers()[0].breaker.window_failures, 0);
}

#[tokio::test]
async fn a_fault_is_over_when_its_time_is_up_or_it_is_taken_away() {
    let peer = Peer::new([stats()]);
    let courses = client(&peer, |settings| settings.attempts = 1);
    inject(
        &courses,
        FaultOrder {
            for_ms: Some(60_000),
            ..status(503)
        },
    );
    courses.stats_of(ada()).await.unwrap_err();
    let active = courses.upstream().fault().fault.unwrap();
    assert!(active.ends_in_ms.unwrap() > 50_000, "{active:?}");
    // The clock is stopped only while nothing is under way.
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(1)).await;
    tokio::time::resume();
    assert_eq!(courses.upstream().fault().fault, None);
    courses.stats_of(ada()).await.unwrap();

    inject(&courses, status(503));
    courses.stats_of(ada()).await.unwrap_err();
    courses.upstream().heal();
    courses.stats_of(ada()).await.unwrap();
    assert_eq!(injected(&courses), 2);
}

fn with(faults: FaultSettings) -> UpstreamSettings {
    UpstreamSettings {
        base_url: "http://127.0.0.1:8002".to_owned(),
        faults,
        ..UpstreamSettings::default()
    }
}

#[tokio::test]
async fn a_fault_of_the_settings_is_there_from_the_start_and_does_not_end() {
    let peer = Peer::new([stats()]);
    let courses = client(&peer, |settings| settings.faults.status = 503);
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert_eq!(error.refused_with(), Some(503));
    let active = courses.upstream().fault().fault.unwrap();
    assert_eq!((active.remaining, active.ends_in_ms), (None, None));
    assert_eq!(client(&peer, |_| {}).upstream().fault().fault, None);
}

#[test]
fn production_refuses_each_fault_of_the_settings_by_its_key() {
    let off = FaultSettings::default();
    for (faults, key) in [
        (
            FaultSettings {
                latency_ms: 1,
                ..off
            },
            "latency_ms",
        ),
        (FaultSettings { status: 503, ..off }, "status"),
        (FaultSettings { reset: true, ..off }, "reset"),
    ] {
        let settings = with(faults);
        assert_eq!(settings.check("course", FaultInjection::Allowed), Ok(()));
        let refused = settings
            .check("course", FaultInjection::Refused)
            .unwrap_err();
        assert_eq!(refused.key, format!("upstreams.course.faults.{key}"));
    }
    assert_eq!(with(off).check("course", FaultInjection::Refused), Ok(()));
}

#[test]
fn a_fault_that_cannot_be_is_refused_by_its_key() {
    let off = FaultSettings::default();
    for (faults, key) in [
        (FaultSettings { ratio: 1.1, ..off }, "ratio"),
        (
            FaultSettings {
                ratio: f64::NAN,
                ..off
            },
            "ratio",
        ),
        (
            FaultSettings {
                latency_ms: 600_001,
                ..off
            },
            "latency_ms",
        ),
        (FaultSettings { status: 399, ..off }, "status"),
        (FaultSettings { status: 600, ..off }, "status"),
        (
            FaultSettings {
                status: 503,
                reset: true,
                ..off
            },
            "reset",
        ),
    ] {
        let refused = with(faults)
            .check("course", FaultInjection::Allowed)
            .unwrap_err();
        assert_eq!(refused.key, format!("upstreams.course.faults.{key}"));
    }
}
