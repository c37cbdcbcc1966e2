//! What a call costs in connections, and what a connection that breaks costs a call: over real
//! sockets.

use std::collections::HashSet;
use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use lyceum_client::{ClientError, Upstream, UpstreamSettings};
use serde_json::{Value, json};

use super::{get, keyed_post, post, settings};
use crate::identity;
use crate::peer::{Act, Peer};

/// The error body is read no longer than this.
const DRAIN_TIME: Duration = Duration::from_millis(50);

fn upstream(peer: &Peer, configure: impl FnOnce(&mut UpstreamSettings)) -> Upstream {
    let settings = settings(|settings| {
        settings.base_url = peer.base_url();
        configure(settings);
    });
    Upstream::new("course", &settings, &identity("user")).unwrap()
}

fn good() -> Act {
    Act::json(200, &json!({}))
}

fn connections(peer: &Peer) -> usize {
    let requests = peer.requests();
    let connections: HashSet<_> = requests.iter().map(|r| r.connection).collect();
    connections.len()
}

fn ten_attempts(settings: &mut UpstreamSettings) {
    settings.attempts = 10;
    settings.backoff.base_ms = 1;
    settings.backoff.cap_ms = 1;
    settings.budget.floor_per_second = 1_000;
    settings.attempt_timeout_ms = 5_000;
}

#[tokio::test]
async fn ten_attempts_share_a_connection_whatever_the_errors_say() {
    for length in [0, 4 * 1024, 64 * 1024] {
        let failure = Act::Answer {
            status: 500,
            headers: Vec::new(),
            body: "x".repeat(length),
        };
        let peer = Peer::new([failure]);
        let upstream = upstream(&peer, ten_attempts);
        let began = Instant::now();
        get(&upstream).await.unwrap_err();
        // Only a body that took its whole time was given up: none, unless the machine is busy.
        let given_up = (began.elapsed().as_millis() / DRAIN_TIME.as_millis()) as usize;
        assert_eq!(peer.requests().len(), 10);
        assert!(
            connections(&peer) <= 1 + given_up,
            "{length}: {}",
            connections(&peer)
        );
    }
}

#[tokio::test]
async fn an_error_that_talks_for_too_long_is_cut_short_and_costs_its_connection() {
    let long = Act::Answer {
        status: 500,
        headers: Vec::new(),
        body: "x".repeat(1024 * 1024),
    };
    for act in [long, Act::Endless(500)] {
        let peer = Peer::new([act.clone(), act, good()]);
        let upstream = upstream(&peer, ten_attempts);
        get(&upstream).await.unwrap();
        assert_eq!(connections(&peer), 3);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_failed_attempt() {
    let truncated = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_vec();
    let peer = Peer::new([Act::Bytes(truncated.clone()), good()]);
    get(&upstream(&peer, |_| {})).await.unwrap();
    assert_eq!(peer.requests().len(), 2);

    let peer = Peer::new([Act::Bytes(truncated), good()]);
    let error = post(&upstream(&peer, |_| {})).await.unwrap_err();
    assert_eq!(error, ClientError::Unreachable { sent: true });
    assert_eq!(peer.requests().len(), 1);
}

/// A request too long to arrive at once.
fn long() -> Value {
    json!({"long": "x".repeat(256 * 1024)})
}

#[tokio::test]
async fn a_connection_that_breaks_under_a_request_breaks_it_for_a_post_without_a_key_alone() {
    let half_a_head = Act::Bytes(b"HTTP/1.1 2".to_vec());
    let body = long();
    for act in [Act::Close, Act::Reset, half_a_head] {
        let peer = Peer::new([act.clone(), good()]);
        let post = upstream(&peer, |_| {});
        let post = post.post("course.test", "/test", &body).json::<Value>();
        let error = post.await.unwrap_err();
        assert_eq!(error, ClientError::Unreachable { sent: true });
        assert_eq!(peer.requests().len(), 1);

        let peer = Peer::new([act, good()]);
        let post = upstream(&peer, |_| {});
        let post = post
            .post("course.test", "/test", &body)
            .keyed()
            .json::<Value>();
        post.await.unwrap();
        let requests = peer.requests();
        let keys: HashSet<_> = requests
            .iter()
            .map(|r| r.header("idempotency-key"))
            .collect();
        assert_eq!((requests.len(), keys.len()), (2, 1));
    }
}

#[tokio::test]
async fn a_kept_connection_that_dies_under_a_request_is_no_licence_to_send_a_post_twice() {
    for act in [Act::Close, Act::Bytes(b"HTTP/1.1 2".to_vec())] {
        let peer = Peer::new([good(), act.clone(), good()]);
        let upstream = upstream(&peer, |_| {});
        get(&upstream).await.unwrap();
        let error = post(&upstream).await.unwrap_err();
        assert_eq!(error, ClientError::Unreachable { sent: true });
        let on: Vec<_> = peer.requests().iter().map(|r| r.connection).collect();
        assert_eq!(on, [0, 0], "sent once, on the connection kept");
        keyed_post(&upstream).await.unwrap();
    }
}

/// The peer closes each connection as soon as it has answered, without a word of warning: the
/// next request meets it before the end, at the end or after it, as chance will have it.
#[tokio::test]
async fn a_connection_that_closes_just_as_the_request_goes_out_costs_a_get_nothing_and_a_post_no_second_effect()
 {
    let body = "{}".to_owned();
    let peer = Peer::new([Act::AnswerAndClose { status: 200, body }]);
    let upstream = upstream(&peer, |settings| settings.budget.floor_per_second = 1_000);
    let mut answered = HashSet::new();
    for number in 0..100 {
        get(&upstream).await.unwrap();
        let call = upstream.post("course.test", "/test", &number);
        match call.json::<Value>().await {
            Ok(_) => assert!(answered.insert(number.to_string())),
            Err(error) => assert_eq!(error, ClientError::Unreachable { sent: true }),
        }
    }
    let mut seen = HashSet::new();
    for request in peer.requests() {
        if request.line.starts_with("POST") {
            assert!(seen.insert(request.body.clone()), "{} twice", request.body);
        }
    }
    assert!(seen.is_superset(&answered));
}

#[tokio::test]
async fn an_idle_connection_is_given_up_a_second_before_the_server_does() {
    let defaults = UpstreamSettings::default();
    // Actix keeps an idle connection for 5 s.
    assert_eq!(defaults.pool_idle_timeout_ms, 4_000);
    let peer = Peer::new([good()]);
    let upstream = upstream(&peer, |_| {});
    for idle_ms in [0, 3_900, 4_100] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_millis(idle_ms)).await;
        tokio::time::resume();
        get(&upstream).await.unwrap();
    }
    let on: Vec<_> = peer.requests().iter().map(|r| r.connection).collect();
    assert_eq!(on, [0, 0, 1]);
}

#[tokio::test]
async fn a_cancelled_call_costs_one_connection_and_the_next_is_served() {
    const CANCELLED: usize = 5;
    let hangs = std::iter::repeat_n(Act::HANG, CANCELLED);
    let peer = Peer::new(hangs.chain([good()]));
    let upstream = upstream(&peer, |_| {});
    for number in 1..=CANCELLED {
        let arrived = poll_fn(|context| {
            if peer.requests().len() == number {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        });
        tokio::select! {
            answer = get(&upstream) => panic!("{answer:?}"),
            () = arrived => {}
        }
    }
    for _ in 0..5 {
        get(&upstream).await.unwrap();
    }
    assert_eq!(peer.requests().len(), CANCELLED + 5);
    assert_eq!(connections(&peer), CANCELLED + 1);
}
