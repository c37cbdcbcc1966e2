//! How streams end, how many there may be, and what they hold while they are open.

use std::time::Duration;

use lyceum_contracts::role::Role;
use lyceum_testing::PATIENCE;
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::platform::{Person, Platform, STREAM, data, next_notification};

/// Long before a heartbeat or a deadline could be what ended it.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_stream_ends_with_a_word_when_its_token_does() {
    let platform = Platform::start();
    let soon = lyceum_chassis::clock::now().unix_timestamp() + 2;
    let token = platform
        .tokens
        .token(1, Role::Student)
        .claim("exp", soon)
        .sign();
    let (mut stream, _) = platform.holder_of(1, token).listens(None).await;
    let bye = stream.next(PATIENCE).await.unwrap();
    assert_eq!(bye.event.as_deref(), Some("bye"));
    assert_eq!(bye.id, None, "the place to come back to stays");
    assert_eq!(data(&bye), json!({"reason": "token_expired"}));
    assert_eq!(stream.next(PATIENCE).await, None);
    assert!(lyceum_chassis::clock::now().unix_timestamp() >= soon);
}

#[tokio::test]
async fn a_stream_ends_with_a_word_when_its_token_is_called_in_and_no_other_does() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let token = platform.tokens.token(1, Role::Student).claim("sid", 2);
    let elsewhere = platform.holder_of(1, token.sign());
    let (mut called_in, _) = ada.listens(None).await;
    let (mut other, _) = elsewhere.listens(None).await;
    platform.ends_the_session_of(&ada);

    let bye = called_in.next(PATIENCE).await.unwrap();
    assert_eq!(bye.event.as_deref(), Some("bye"));
    assert_eq!(data(&bye), json!({"reason": "token_revoked"}));
    assert_eq!(called_in.next(PATIENCE).await, None);
    ada.client
        .get(STREAM)
        .bearer(&ada.token)
        .send()
        .await
        .expect(401);
    platform.enrols(&elsewhere, "Logic").await;
    next_notification(&mut other).await;
}

#[tokio::test]
async fn open_streams_end_at_once_when_the_process_is_asked_to_stop() {
    let platform = Platform::start();
    let mut streams = Vec::new();
    for id in 1..=4 {
        streams.push(platform.person(id).listens(None).await.0);
    }
    let asked = Instant::now();
    platform.app.lifecycle().stop();
    for stream in &mut streams {
        let last = stream.next(AT_ONCE).await.unwrap();
        let retry = last.retry.expect("clients are told when to come back");
        assert!((3_000..=6_000).contains(&retry.as_millis()), "{retry:?}");
        assert_eq!(stream.next(AT_ONCE).await, None, "the end, not an error");
    }
    assert!(asked.elapsed() < AT_ONCE);
    // Dropping the platform asserts that the service ended cleanly, within its grace period.
}

#[tokio::test]
async fn one_person_has_only_so_many_streams_and_a_closed_one_makes_room() {
    let platform = Platform::with(|live| live.streams_per_user = 2);
    let (ada, bob) = (platform.person(1), platform.person(2));
    let (first, _) = ada.listens(None).await;
    let _second = ada.listens(None).await;
    let refused = ada.get(STREAM).await.expect(429);
    refused.problem();
    assert!(refused.header("retry-after").is_some());
    let _bobs = bob.listens(None).await;
    drop(first);
    there_is_room_for(&platform, &ada).await;
}

#[tokio::test]
async fn a_process_has_only_so_many_streams() {
    let platform = Platform::with(|live| live.streams_per_node = 2);
    let (first, _) = platform.person(1).listens(None).await;
    let _second = platform.person(2).listens(None).await;
    let refused = platform.person(3).get(STREAM).await.expect(503);
    refused.problem();
    assert!(refused.header("retry-after").is_some());
    drop(first);
    there_is_room_for(&platform, &platform.person(3)).await;
}

/// Waits until the server has noticed that a stream is gone, and lets another one in.
async fn there_is_room_for(platform: &Platform, person: &Person) {
    let let_in = timeout(PATIENCE, async {
        while platform.listens_briefly(person).await.status != 200 {}
    });
    let_in.await.expect("a closed stream makes room");
}

#[tokio::test]
async fn idle_streams_hold_no_connection_to_the_database() {
    let platform = Platform::with(|live| live.streams_per_user = 100);
    let ada = platform.person(1);
    let mut streams = Vec::new();
    // The pool of a test service has five.
    for _ in 0..40 {
        streams.push(ada.listens(None).await.0);
    }
    let answer = timeout(AT_ONCE, ada.unread()).await;
    assert_eq!(answer.expect("connections are free"), 0);
    platform.enrols(&ada, "Logic").await;
    for stream in &mut streams {
        assert_eq!(next_notification(stream).await.seq, 1);
    }
}

#[tokio::test]
async fn a_reader_that_never_reads_is_given_up_and_loses_nothing() {
    let platform = Platform::with_all(|settings| {
        settings.platform.http.unread_timeout_ms = 2_000;
        settings.service.live.streams_per_user = 1;
    });
    let ada = platform.person(1);
    platform.enrols(&ada, "Logic").await;
    // 32 MiB: several times what the buffers of two sockets grow to (tcp_wmem, tcp_rmem).
    let body = "x".repeat(32 * 1024);
    platform.another_replica_writes(&ada, 1_000, &body).await;
    let (idle, _) = ada.listens(Some("0")).await;
    ada.get(STREAM).await.expect(429);
    there_is_room_for(&platform, &ada).await;
    drop(idle);
    let (mut back, _) = ada.listens(Some("0")).await;
    for place in 1..=1_001 {
        assert_eq!(next_notification(&mut back).await.seq, place);
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_late_and_loses_nothing() {
    let platform = Platform::with(|live| {
        live.sweep = true;
        live.sweep_ms = 10;
    });
    let (ada, bob) = (platform.person(1), platform.person(2));
    platform.enrols(&ada, "Logic").await;
    let (mut idle, _) = ada.listens(Some("0")).await;
    let (mut quick, _) = bob.listens(None).await;
    // 32 MiB: several times what the buffers of two sockets grow to (tcp_wmem, tcp_rmem).
    let body = "x".repeat(32 * 1024);
    platform.another_replica_writes(&ada, 1_000, &body).await;
    platform.enrols(&bob, "Sets").await;
    assert_eq!(
        next_notification(&mut quick).await.seq,
        1,
        "nobody else waits"
    );
    for place in 1..=1_001 {
        assert_eq!(next_notification(&mut idle).await.seq, place);
    }
}
