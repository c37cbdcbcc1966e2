//! Waiting for a slot of the bulkhead.

use std::time::Duration;

use lyceum_client::testing::{Act, Script};
use lyceum_client::{ClientError, CourseClient, Upstream, UpstreamSettings};
use lyceum_resilience::deadline::{Deadline, Instant};
use serde_json::json;

use crate::ada;

const MILLI: Duration = Duration::from_millis(1);

fn good() -> Act {
    Act::json(200, &json!({"enrolled": 1, "dropped": 0, "teaching": 0}))
}

/// One call at a time; the others wait for up to ten seconds.
fn one_at_a_time(peer: &Script, configure: fn(&mut UpstreamSettings)) -> (Upstream, CourseClient) {
    let mut settings = UpstreamSettings {
        attempts: 1,
        ..UpstreamSettings::default()
    };
    settings.bulkhead.max_in_flight = 1;
    settings.bulkhead.max_wait_ms = 10_000;
    configure(&mut settings);
    let upstream = peer.upstream("course", &settings).unwrap();
    (upstream.clone(), CourseClient::from(upstream))
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_served_in_turn() {
    let peer = Script::new([good().after(100 * MILLI)]);
    let (_, courses) = one_at_a_time(&peer, |_| {});
    let began = Instant::now();
    let calls = (0..5).map(|_| courses.stats_of(ada()));
    for answer in futures_util::future::join_all(calls).await {
        answer.unwrap();
    }
    assert!(began.elapsed() >= 500 * MILLI);
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_the_deadline_and_nothing_is_sent() {
    let peer = Script::new([good().after(1_000 * MILLI)]);
    let (_, courses) = one_at_a_time(&peer, |_| {});
    let soon = Deadline::after(200 * MILLI);
    let (first, second) = tokio::join!(
        courses.stats_of(ada()),
        Deadline::scope(soon, courses.stats_of(ada()))
    );
    first.unwrap();
    assert_eq!(
        second.unwrap_err(),
        ClientError::DeadlineExceeded { attempts: 0 }
    );
    assert_eq!(peer.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn time_in_the_queue_is_no_slowness_of_the_peer() {
    let peer = Script::new([good().after(600 * MILLI)]);
    let (upstream, courses) = one_at_a_time(&peer, |settings| {
        settings.total_timeout_ms = 20_000;
        settings.breaker.slow_call_ms = 1_000;
    });
    let calls = (0..5).map(|_| courses.stats_of(ada()));
    for answer in futures_util::future::join_all(calls).await {
        answer.unwrap();
    }
    assert_eq!(upstream.breakers()[0].breaker.window_slow, 0);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_not_queued_for() {
    // Five failures open it; the probe after its rest hangs and holds the only slot.
    let failures = std::iter::repeat_n(Act::status(500), 5);
    let peer = Script::new(failures.chain([Act::hang()]));
    let (_, courses) = one_at_a_time(&peer, |settings| settings.breaker.probes = 1);
    for _ in 0..5 {
        courses.stats_of(ada()).await.unwrap_err();
    }
    tokio::time::advance(5_000 * MILLI).await;
    let refused = async {
        tokio::time::sleep(MILLI).await;
        let began = Instant::now();
        let error = courses.stats_of(ada()).await.unwrap_err();
        (error, began.elapsed())
    };
    let (probe, (error, waited)) = tokio::join!(courses.stats_of(ada()), refused);
    assert_eq!(probe.unwrap_err(), ClientError::Timeout);
    assert!(matches!(error, ClientError::CircuitOpen { .. }), "{error}");
    assert_eq!(waited, Duration::ZERO);
}
