//! When the peer is left alone.

use http::HeaderValue;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use lyceum_client::testing::{self, Script};
use lyceum_client::{ClientError, CourseClient, UpstreamSettings};
use lyceum_contracts::problem::{self, ProblemKind};
use lyceum_resilience::breaker::State;

use crate::peer::{Act, Peer};
use crate::{ada, client, stats};

fn state(courses: &CourseClient) -> State {
    courses.upstream().breakers()[0].breaker.state
}

#[tokio::test]
async fn after_five_failures_nothing_is_sent() {
    let peer = Peer::new([Act::status(500)]);
    let courses = client(&peer, |settings| settings.attempts = 1);
    for _ in 0..5 {
        assert_eq!(
            courses.stats_of(ada()).await.unwrap_err().refused_with(),
            Some(500)
        );
    }
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert!(matches!(error, ClientError::CircuitOpen { .. }), "{error}");
    assert_eq!(peer.requests().len(), 5);
    let report = serde_json::to_value(courses.upstream().breakers()).unwrap();
    assert_eq!(report[0]["upstream"], "course");
    assert_eq!(report[0]["state"], "open");
    assert!(report[0]["retry_after_ms"].as_u64().unwrap() > 2_000);
}

#[tokio::test]
async fn a_peer_that_hangs_is_a_peer_that_fails() {
    let peer = Peer::new([Act::HANG]);
    let courses = client(&peer, |settings| {
        settings.attempts = 1;
        settings.connect_timeout_ms = 100;
        settings.attempt_timeout_ms = 100;
    });
    for _ in 0..5 {
        assert_eq!(
            courses.stats_of(ada()).await.unwrap_err(),
            ClientError::Timeout
        );
    }
    assert_eq!(state(&courses), State::Open);
}

#[tokio::test]
async fn the_failure_that_opens_it_is_told_rather_than_that_it_is_open() {
    let peer = Peer::new([Act::status(500)]);
    let courses = client(&peer, |settings| settings.attempts = 10);
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert_eq!(error.refused_with(), Some(500));
    assert_eq!(peer.requests().len(), 5);
}

#[tokio::test]
async fn refusals_of_the_request_say_nothing_about_the_peer() {
    let peer = Peer::new([Act::status(404)]);
    let courses = client(&peer, |_| {});
    for _ in 0..30 {
        courses.stats_of(ada()).await.unwrap_err();
    }
    assert_eq!(state(&courses), State::Closed);
}

#[tokio::test]
async fn too_many_at_once_are_refused_here_and_cost_the_peer_nothing() {
    let peer = Peer::new([Act::HANG]);
    let courses = client(&peer, |settings| {
        settings.attempts = 1;
        settings.connect_timeout_ms = 500;
        settings.attempt_timeout_ms = 500;
        settings.bulkhead.max_in_flight = 1;
        settings.bulkhead.max_queued = 0;
    });
    let (first, second) = tokio::join!(courses.stats_of(ada()), courses.stats_of(ada()));
    assert_eq!(first.unwrap_err(), ClientError::Timeout);
    assert_eq!(second.unwrap_err(), ClientError::Overloaded);
    assert_eq!(peer.requests().len(), 1);
    assert_eq!(courses.upstream().breakers()[0].breaker.window_calls, 1);
}

#[tokio::test]
async fn clones_share_the_breaker() {
    let peer = Peer::new([stats()]);
    let courses = client(&peer, |_| {});
    courses.clone().stats_of(ada()).await.unwrap();
    assert_eq!(courses.upstream().breakers()[0].breaker.window_calls, 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_only_passes_on_the_trouble_of_another_works() {
    for kind in [
        ProblemKind::BadGateway,
        ProblemKind::PeerUnavailable,
        ProblemKind::GatewayTimeout,
    ] {
        let problem = serde_json::to_value(kind.problem()).unwrap();
        let media_type = HeaderValue::from_static(problem::MEDIA_TYPE);
        let answer = testing::Act::json(kind.status(), &problem).with(CONTENT_TYPE, media_type);
        let peer = Script::new([answer.with(RETRY_AFTER, HeaderValue::from_static("1"))]);
        let upstream = peer.upstream("course", &UpstreamSettings::default());
        let courses = CourseClient::from(upstream.unwrap());
        for _ in 0..30 {
            let error = courses.stats_of(ada()).await.unwrap_err();
            assert_eq!(error.refused_with(), Some(kind.status()));
        }
        assert_eq!(state(&courses), State::Closed);
        assert_eq!(peer.sent().len(), 30, "it is not asked again");
    }
}
