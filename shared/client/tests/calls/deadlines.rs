//! How long a call may take, and whose time it is.

use std::time::Duration;

use lyceum_client::ClientError;
use lyceum_resilience::breaker::State;
use lyceum_resilience::deadline::Deadline;

use crate::peer::{Act, Peer};
use crate::{ada, client, stats};

fn in_millis(millis: u64) -> Deadline {
    Deadline::after(Duration::from_millis(millis))
}

#[tokio::test]
async fn a_call_never_takes_longer_than_its_own_total() {
    let peer = Peer::new([Act::status(500), Act::Hang]);
    let courses = client(&peer, |settings| {
        settings.connect_timeout_ms = 100;
        settings.attempt_timeout_ms = 100;
        settings.total_timeout_ms = 100;
    });
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert_eq!(error, ClientError::DeadlineExceeded { attempts: 2 });
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
    let peer = Peer::new([Act::Hang]);
    let courses = client(&peer, |_| {});
    for _ in 0..6 {
        let error = Deadline::scope(in_millis(40), courses.stats_of(ada()))
            .await
            .unwrap_err();
        assert_eq!(error, ClientError::DeadlineExceeded { attempts: 1 });
    }
    assert_eq!(
        courses.upstream().breakers()[0].breaker.state,
        State::Closed
    );
}
