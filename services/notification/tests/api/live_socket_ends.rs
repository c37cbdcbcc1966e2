//! How sockets end, and how many there may be.

use lyceum_contracts::role::Role;
use lyceum_testing::PATIENCE;
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::platform::{Platform, STREAM};
use crate::socket::{Heard, RawSocket, SOCKET, frame};

const HELLO: &[u8] = br#"{"type":"hello","last_seq":0}"#;

fn closed(code: u16, reason: &str) -> (u16, String) {
    (code, reason.to_owned())
}

#[tokio::test]
async fn a_socket_ends_with_a_word_when_its_token_does() {
    let platform = Platform::start();
    let soon = lyceum_chassis::clock::now().unix_timestamp() + 2;
    let token = platform
        .tokens
        .token(1, Role::Student)
        .claim("exp", soon)
        .sign();
    let (mut socket, _) = platform.holder_of(1, token).tunes_in(None).await;
    let bye = json!({"type": "bye", "reason": "token_expired"});
    assert_eq!(socket.hears().await, bye);
    assert_eq!(socket.closed().await, closed(4401, "token_expired"));
    assert!(lyceum_chassis::clock::now().unix_timestamp() >= soon);
}

#[tokio::test]
async fn a_socket_ends_with_a_word_when_its_token_is_called_in_and_no_other_does() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let token = platform.tokens.token(1, Role::Student).claim("sid", 2);
    let elsewhere = platform.holder_of(1, token.sign());
    let (mut called_in, _) = ada.tunes_in(None).await;
    let (mut other, _) = elsewhere.tunes_in(None).await;
    platform.ends_the_session_of(&ada);

    let bye = json!({"type": "bye", "reason": "token_revoked"});
    assert_eq!(called_in.hears().await, bye);
    assert_eq!(called_in.closed().await, closed(4403, "token_revoked"));
    platform.enrols(&elsewhere, "Logic").await;
    assert_eq!(other.hears_places(1).await, [1]);
}

#[tokio::test]
async fn open_sockets_are_told_when_to_come_back_when_the_process_is_asked_to_stop() {
    let platform = Platform::start();
    let mut sockets = Vec::new();
    for id in 1..=4 {
        sockets.push(platform.person(id).tunes_in(None).await.0);
    }
    // One that has not said hello ends as well.
    let mut silent = platform.person(5).dials().await;
    let asked = Instant::now();
    platform.app.lifecycle().stop();
    for socket in &mut sockets {
        let bye = socket.hears().await;
        assert_eq!(
            (&bye["type"], &bye["reason"]),
            (&json!("bye"), &json!("stopping"))
        );
        let retry = bye["retry_ms"].as_u64().unwrap();
        assert!((3_000..=6_000).contains(&retry), "{retry}");
        assert_eq!(socket.closed().await, closed(4000, "stopping"));
    }
    assert_eq!(silent.closed().await, closed(4000, "stopping"));
    assert!(asked.elapsed() < PATIENCE / 2);
    // Dropping the platform asserts that the service ended cleanly, within its grace period.
}

#[tokio::test]
async fn a_person_has_so_many_streams_whatever_they_are_sent_by() {
    let platform = Platform::with(|live| live.streams_per_user = 2);
    let (ada, bob) = (platform.person(1), platform.person(2));
    let (first, _) = ada.listens(None).await;
    let (_second, _) = ada.tunes_in(None).await;
    ada.get(STREAM).await.expect(429).problem();
    let token = format!("Bearer {}", ada.token);
    let headers = [("authorization", &*token)];
    assert_eq!(ada.dials_with(SOCKET, &headers).await.err(), Some(429));
    let _bobs = bob.tunes_in(None).await;
    drop(first);
    let let_in = timeout(PATIENCE, async {
        while ada.dials_with(SOCKET, &headers).await.is_err() {}
    });
    let_in
        .await
        .expect("a closed stream makes room for a socket");
}

#[tokio::test]
async fn a_process_has_so_many_streams_whatever_they_are_sent_by() {
    let platform = Platform::with(|live| live.streams_per_node = 2);
    let (_first, _) = platform.person(1).listens(None).await;
    let (second, _) = platform.person(2).tunes_in(None).await;
    let bob = platform.person(3);
    let token = format!("Bearer {}", bob.token);
    let headers = [("authorization", &*token)];
    assert_eq!(bob.dials_with(SOCKET, &headers).await.err(), Some(503));
    drop(second);
    let let_in = timeout(PATIENCE, async {
        while bob.dials_with(SOCKET, &headers).await.is_err() {}
    });
    let_in.await.expect("a dead socket is noticed");
}

#[tokio::test]
async fn a_client_that_never_says_hello_is_left() {
    let platform = Platform::with(|live| live.hello_timeout_ms = 50);
    let mut silent = platform.person(1).dials().await;
    assert_eq!(silent.closed().await, closed(4400, "no_hello"));
}

#[tokio::test]
async fn a_client_that_does_not_answer_any_more_is_left() {
    let platform = Platform::with(|live| {
        live.ping_ms = 50;
        live.pong_timeout_ms = 2_000;
    });
    let mut quiet = RawSocket::open(&platform.person(1)).await;
    quiet.sends_frame(0x81, HELLO).await;
    assert!(matches!(quiet.hears().await, Heard::Text(_)));
    assert_eq!(quiet.hears().await, Heard::Ping(vec![0, 0, 0, 1]));
    quiet.sends(&frame(0x8a, &[0, 0, 0, 1])).await;
    assert_eq!(quiet.hears().await, Heard::Ping(vec![0, 0, 0, 2]));
    assert_eq!(quiet.hears().await, Heard::Closed(closed(4408, "no_pong")));
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_left_and_loses_nothing() {
    let platform = Platform::with(|live| live.pong_timeout_ms = 2_000);
    let (ada, bob) = (platform.person(1), platform.person(2));
    let mut idle = RawSocket::open(&ada).await;
    idle.sends_frame(0x81, HELLO).await;
    platform.enrols_in_many(&ada, 500).await;
    let (mut quick, _) = bob.tunes_in(None).await;
    platform.enrols(&bob, "Sets").await;
    assert_eq!(quick.hears_places(1).await, [1], "nobody else waits");

    let mut places = Vec::new();
    let end = loop {
        match idle.hears().await {
            Heard::Text(told) => {
                places.extend(told["seq"].as_i64().filter(|_| told["id"].is_i64()));
            }
            Heard::Ping(_) => {}
            end => break end,
        }
    };
    assert_eq!(end, Heard::Closed(closed(4008, "slow")));
    let last = i64::try_from(places.len()).unwrap();
    assert!((1..=128).contains(&last), "{last} were on their way");
    assert_eq!(places, (1..=last).collect::<Vec<_>>());

    let (mut back, welcome) = ada.tunes_in(Some(last)).await;
    assert_eq!(welcome["recovered"], true);
    let rest: Vec<i64> = (last + 1..=500).collect();
    assert_eq!(back.hears_places(rest.len()).await, rest);
}
