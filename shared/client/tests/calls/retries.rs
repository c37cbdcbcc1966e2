//! What is asked again, and what is not.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use lyceum_client::{ClientError, NotificationClient, UpstreamSettings, UserClient};
use lyceum_contracts::notification::EventBatch;
use serde_json::json;

use crate::peer::{Act, Peer};
use crate::{ada, client, identity, stats};

#[tokio::test]
async fn a_get_is_repeated_after_any_failure_that_may_pass() {
    let truncated = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_vec();
    for failure in [
        Act::status(500),
        Act::status(503),
        Act::Close,
        Act::Bytes(truncated),
    ] {
        let peer = Peer::new([failure, stats()]);
        let figures = client(&peer, |_| {}).stats_of(ada()).await.unwrap();
        assert_eq!(figures.value.enrolled, 3);
        assert_eq!(peer.requests().len(), 2);
    }
}

#[tokio::test]
async fn no_answer_that_stands_is_asked_for_again() {
    for status in [400, 401, 403, 404, 409, 422, 429, 501] {
        let peer = Peer::new([Act::status(status)]);
        let error = client(&peer, |_| {}).stats_of(ada()).await.unwrap_err();
        assert_eq!(error.refused_with(), Some(status));
        assert_eq!(peer.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn attempts_are_numbered_and_no_more_than_allowed() {
    let peer = Peer::new([Act::status(500)]);
    let courses = client(&peer, |settings| settings.attempts = 3);
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert_eq!(error.refused_with(), Some(500));
    let numbers: Vec<_> = peer
        .requests()
        .iter()
        .map(|r| r.header("x-attempt").to_owned())
        .collect();
    assert_eq!(numbers, ["", "2", "3"]);
}

#[tokio::test]
async fn a_keyed_post_keeps_its_key_on_every_attempt_and_has_another_next_time() {
    let receipt = Act::json(200, &json!({"accepted": 0, "duplicates": 0}));
    let peer = Peer::new([Act::Close, receipt]);
    let settings = UpstreamSettings {
        base_url: peer.base_url(),
        ..UpstreamSettings::default()
    };
    let notifications = NotificationClient::new(&settings, &identity("user")).unwrap();
    let batch = EventBatch { events: Vec::new() };
    notifications.publish(&batch).await.unwrap();
    notifications.publish(&batch).await.unwrap();
    let requests = peer.requests();
    let keys: Vec<_> = requests
        .iter()
        .map(|r| r.header("idempotency-key"))
        .collect();
    assert_eq!(keys.len(), 3);
    assert_eq!((keys[0], keys[0].len()), (keys[1], 36));
    assert_ne!(keys[1], keys[2]);
    assert_eq!(requests[0].body, requests[1].body);
}

#[tokio::test]
async fn a_post_that_only_reads_is_repeated() {
    let nobody = Act::json(200, &json!({"items": []}));
    let peer = Peer::new([Act::Close, nobody]);
    let settings = UpstreamSettings {
        base_url: peer.base_url(),
        ..UpstreamSettings::default()
    };
    let users = UserClient::new(&settings, &identity("course")).unwrap();
    assert!(users.find(ada()).await.unwrap().is_none());
    let requests = peer.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].line, "POST /internal/users/lookup HTTP/1.1");
    assert_eq!(requests[1].body, r#"{"ids":[1]}"#);
}

#[tokio::test]
async fn a_retry_after_is_waited_for_and_the_peer_learns_how_little_is_left() {
    let busy = Act::status(503).with("retry-after", "1");
    let peer = Peer::new([busy, stats()]);
    let courses = client(&peer, |settings| {
        settings.attempt_timeout_ms = 4_000;
        settings.total_timeout_ms = 4_000;
    });
    let start = Instant::now();
    courses.stats_of(ada()).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    let requests = peer.requests();
    let left: Vec<u64> = requests
        .iter()
        .map(|r| r.header("x-deadline-ms").parse().unwrap())
        .collect();
    assert!(left[0] <= 4_000 && left[0] > 3_000, "{left:?}");
    assert!(left[1] <= left[0] - 900, "{left:?}");
}

#[tokio::test]
async fn a_retry_after_beyond_the_deadline_is_told_to_the_caller_at_once() {
    let peer = Peer::new([Act::status(503).with("retry-after", "60"), stats()]);
    let error = client(&peer, |_| {}).stats_of(ada()).await.unwrap_err();
    let (problem, retry_after) = error.to_problem();
    assert_eq!(
        (problem.status, retry_after),
        (503, Some(Duration::from_mins(1)))
    );
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn without_a_budget_nothing_is_repeated() {
    let peer = Peer::new([Act::status(500)]);
    let courses = client(&peer, |settings| {
        settings.budget.percent = 0;
        settings.budget.floor_per_second = 0;
    });
    for _ in 0..4 {
        courses.stats_of(ada()).await.unwrap_err();
    }
    assert_eq!(peer.requests().len(), 4);
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_unreachable_and_saw_nothing() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let settings = UpstreamSettings {
        base_url: format!("http://{closed}"),
        ..UpstreamSettings::default()
    };
    let users = UserClient::new(&settings, &identity("course")).unwrap();
    let error = users.jwks().await.unwrap_err();
    assert_eq!(error, ClientError::Unreachable { sent: false });
}

#[tokio::test]
async fn a_connection_that_goes_stale_while_idle_costs_a_repeat_and_not_the_call() {
    let peer = Peer::new([stats(), Act::Close, stats()]);
    let courses = client(&peer, |_| {});
    courses.stats_of(ada()).await.unwrap();
    courses.stats_of(ada()).await.unwrap();
    let connections: Vec<_> = peer.requests().iter().map(|r| r.connection).collect();
    assert_eq!(connections, [0, 0, 1]);
}
