//! Settings and modes that change while calls are made.

use std::time::Duration;

use lyceum_client::testing::{Act, Script};
use lyceum_client::{ClientError, CourseClient, Upstream, UpstreamSettings};
use lyceum_resilience::breaker::{Mode, State};
use serde_json::json;
use tokio::time::advance;

use crate::ada;

fn good() -> Act {
    Act::json(200, &json!({"enrolled": 1, "dropped": 0, "teaching": 0}))
}

fn client(peer: &Script) -> (Upstream, CourseClient) {
    let settings = UpstreamSettings {
        attempts: 1,
        ..UpstreamSettings::default()
    };
    let upstream = peer.upstream("course", &settings).unwrap();
    (upstream.clone(), CourseClient::from(upstream))
}

#[tokio::test(start_paused = true)]
async fn new_settings_hold_for_the_next_call() {
    let peer = Script::new([Act::lost(), good()]);
    let (upstream, courses) = client(&peer);
    let mut settings = upstream.settings();
    settings.attempts = 2;
    upstream.reconfigure(&settings).unwrap();
    assert_eq!(upstream.settings(), settings);
    courses.stats_of(ada()).await.unwrap();
    assert_eq!(peer.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn settings_that_contradict_themselves_change_nothing() {
    let peer = Script::new([good()]);
    let (upstream, _) = client(&peer);
    let before = upstream.settings();
    let mut settings = before.clone();
    settings.attempts = 7;
    settings.attempt_timeout_ms = 9_000;
    let error = upstream.reconfigure(&settings).unwrap_err();
    assert_eq!(error.key, "upstreams.course.attempt_timeout_ms");
    assert_eq!(upstream.settings(), before);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_stays_open_whatever_is_changed() {
    let peer = Script::new([Act::status(500)]);
    let (upstream, courses) = client(&peer);
    while upstream.breakers()[0].breaker.state == State::Closed {
        courses.stats_of(ada()).await.unwrap_err();
    }
    let sent = peer.sent().len();
    let mut settings = upstream.settings();
    settings.breaker.consecutive_failures = 50;
    settings.connect_timeout_ms = 500;
    settings.budget.percent = 20;
    upstream.reconfigure(&settings).unwrap();
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert!(matches!(error, ClientError::CircuitOpen { .. }), "{error}");
    assert_eq!(peer.sent().len(), sent);
}

#[tokio::test(start_paused = true)]
async fn a_call_under_way_ends_under_the_settings_it_began_with() {
    let peer = Script::new([good().after(Duration::from_secs(1))]);
    let (upstream, courses) = client(&peer);
    let change = async {
        advance(Duration::from_millis(500)).await;
        let mut settings = upstream.settings();
        settings.connect_timeout_ms = 100;
        settings.attempt_timeout_ms = 100;
        upstream.reconfigure(&settings).unwrap();
    };
    let (answer, ()) = tokio::join!(courses.stats_of(ada()), change);
    answer.unwrap();
    assert_eq!(
        courses.stats_of(ada()).await.unwrap_err(),
        ClientError::Timeout
    );
}

#[tokio::test(start_paused = true)]
async fn an_operator_takes_a_peer_out_and_lets_it_back() {
    let peer = Script::new([good()]);
    let (upstream, courses) = client(&peer);
    assert!(upstream.set_mode("peer.test:80", Mode::ForcedOpen));
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert!(matches!(error, ClientError::CircuitOpen { .. }), "{error}");
    assert_eq!(peer.sent().len(), 0);
    assert!(upstream.set_mode("peer.test:80", Mode::Automatic));
    courses.stats_of(ada()).await.unwrap();
    assert!(!upstream.set_mode("elsewhere:80", Mode::ForcedOpen));
}
