//! How long a call may take, and whose time it is.

use std::time::Duration;

use lyceum_client::testing::{self, Script};
use lyceum_client::{ClientError, CourseClient, UpstreamSettings};
use lyceum_resilience::breaker::State;
use lyceum_resilience::deadline::{Deadline, Instant};

use crate::peer::{Act, Peer};
use crate::{ada, client, stats};

fn in_millis(millis: u64) -> Deadline {
    Deadline::after(Duration::from_millis(millis))
}

#[tokio::test(start_paused = true)]
async fn a_call_never_takes_longer_than_its_own_total() {
    let peer = Script::new([testing::Act::hang()]);
    let settings = UpstreamSettings {
        attempt_timeout_ms: 1_000,
        total_timeout_ms: 1_600,
        ..UpstreamSettings::default()
    };
    let courses = CourseClient::from(peer.upstream("course", &settings).unwrap());
    let began = Instant::now();
    // Each attempt hangs; had the second its full second, it would be a `Timeout`.
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert_eq!(error, ClientError::DeadlineExceeded { attempts: 2 });
    let total = Duration::from_millis(1_600);
    assert!((total..=total + Duration::from_millis(1)).contains(&began.elapsed()));
}

#[tokio::test]
async fn the_caller_s_deadline_is_passed_on_less_a_margin() {
    let peer = Peer::new([stats()]);
    let courses = client(&peer, |settings| settings.deadline_margin_ms = 50);
    Deadline::scope(in_millis(550), courses.stats_of(ada()))
        .await
        .unwrap();
    let left: u64 = peer.requests()[0].header("x-deadline-ms").parse().unwrap();
    assert!(left <= 500 && left > 300, "{left}");
}

#[tokio::test]
async fn with_no_time_left_nothing_is_sent() {
    let peer = Peer::new([stats()]);
    let courses = client(&peer, |_| {});
    // 10 ms of margin leave 4: under the floor of 5.
    let error = Deadline::scope(in_millis(14), courses.stats_of(ada()))
        .await
        .unwrap_err();
    assert_eq!(error, ClientError::DeadlineExceeded { attempts: 0 });
    assert!(peer.requests().is_empty());
}

#[tokio::test]
async fn callers_in_a_hurry_do_not_open_the_circuit_for_others() {
    let peer = Peer::new([Act::HANG]);
    let courses = client(&peer, |_| {});
    for _ in 0..6 {
        let error = Deadline::scope(in_millis(300), courses.stats_of(ada()))
            .await
            .unwrap_err();
        assert_eq!(error, ClientError::DeadlineExceeded { attempts: 1 });
    }
    assert_eq!(
        courses.upstream().breakers()[0].breaker.state,
        State::Closed
    );
}

#[tokio::test]
async fn a_body_that_stops_half_way_is_a_timeout_and_not_a_parse_error() {
    let peer = Peer::new([Act::Stall("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{")]);
    let courses = client(&peer, |settings| {
        settings.attempts = 1;
        settings.connect_timeout_ms = 150;
        settings.attempt_timeout_ms = 150;
    });
    assert_eq!(
        courses.stats_of(ada()).await.unwrap_err(),
        ClientError::Timeout
    );
    assert_eq!(courses.upstream().breakers()[0].breaker.window_failures, 1);
}

#[tokio::test]
async fn the_body_of_an_error_is_not_waited_for() {
    let peer = Peer::new([Act::Stall("HTTP/1.1 409 x\r\ncontent-length: 99\r\n\r\n{")]);
    let courses = client(&peer, |_| {});
    let answer = tokio::time::timeout(Duration::from_secs(1), courses.stats_of(ada()));
    assert_eq!(answer.await.unwrap().unwrap_err().refused_with(), Some(409));
}

#[tokio::test]
async fn a_call_its_caller_gave_up_frees_its_slot_and_says_nothing_about_the_peer() {
    let peer = Peer::new([Act::HANG, stats()]);
    let courses = client(&peer, |settings| {
        settings.bulkhead.max_in_flight = 1;
        settings.bulkhead.max_queued = 0;
    });
    let given_up = tokio::time::timeout(Duration::from_millis(50), courses.stats_of(ada()));
    assert!(given_up.await.is_err());
    assert_eq!(courses.upstream().breakers()[0].breaker.window_calls, 0);
    assert_eq!(courses.stats_of(ada()).await.unwrap().value.enrolled, 3);
}
