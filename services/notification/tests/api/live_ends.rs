//! How streams end, of either transport, how many there may be, and what they hold while they are
//! open.

use std::time::Duration;

use lyceum_contracts::role::Role;
use lyceum_testing::PATIENCE;
use lyceum_testing::http::SseStream;
use tokio::time::{Instant, timeout};

use crate::platform::{Person, Platform, STREAM, data, next_notification};
use crate::socket::{SOCKET, Socket};

/// Long before a heartbeat or a deadline could be what ended it.
const AT_ONCE: Duration = Duration::from_secs(5);

/// What somebody listens on, by either transport.
enum Line {
    Stream(SseStream),
    Socket(Socket),
}

/// How the server has ended it.
#[derive(Debug, PartialEq)]
struct End {
    reason: Option<String>,
    retry_ms: Option<u64>,
    /// That of a socket.
    code: Option<u16>,
}

impl Line {
    /// Opens one of each.
    async fn both(person: &Person) -> [Self; 2] {
        let (stream, _) = person.listens(None).await;
        let (socket, _) = person.tunes_in(None).await;
        [Self::Stream(stream), Self::Socket(socket)]
    }

    async fn place(&mut self) -> i64 {
        match self {
            Self::Stream(stream) => next_notification(stream).await.seq,
            Self::Socket(socket) => socket.hears_notification().await.seq,
        }
    }

    /// The last word, after which there is nothing but the end.
    async fn end(&mut self) -> End {
        match self {
            Self::Stream(stream) => {
                let last = stream.next(PATIENCE).await.unwrap();
                assert_eq!(last.id, None, "the place to come back to stays");
                assert_eq!(stream.next(PATIENCE).await, None, "the end, not an error");
                let is_bye = last.event.as_deref() == Some("bye");
                End {
                    reason: is_bye.then(|| data(&last)["reason"].as_str().unwrap().to_owned()),
                    retry_ms: last.retry.map(|it| it.as_millis().try_into().unwrap()),
                    code: None,
                }
            }
            Self::Socket(socket) => {
                let bye = socket.hears().await;
                assert_eq!(bye["type"], "bye", "{bye}");
                let (code, reason) = socket.closed().await;
                assert_eq!(bye["reason"], *reason);
                End {
                    reason: Some(reason),
                    retry_ms: bye["retry_ms"].as_u64(),
                    code: Some(code),
                }
            }
        }
    }
}

/// Both end so, for good; `code` is that of the socket.
async fn both_end(lines: &mut [Line; 2], reason: &str, code: u16) {
    for (line, code) in lines.iter_mut().zip([None, Some(code)]) {
        let end = End {
            reason: Some(reason.to_owned()),
            retry_ms: None,
            code,
        };
        assert_eq!(line.end().await, end);
    }
}

#[tokio::test]
async fn what_is_open_ends_with_a_word_when_its_token_does() {
    let platform = Platform::start();
    let soon = lyceum_chassis::clock::now().unix_timestamp() + 2;
    let token = platform.tokens.token(1, Role::Student).claim("exp", soon);
    let mut lines = Line::both(&platform.holder_of(1, token.sign())).await;
    both_end(&mut lines, "token_expired", 4401).await;
    assert!(lyceum_chassis::clock::now().unix_timestamp() >= soon);
}

#[tokio::test]
async fn what_is_open_ends_with_a_word_when_its_token_is_called_in_and_nothing_else_does() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let token = platform.tokens.token(1, Role::Student).claim("sid", 2);
    let elsewhere = platform.holder_of(1, token.sign());
    let (mut called_in, mut others) = (Line::both(&ada).await, Line::both(&elsewhere).await);
    platform.ends_the_session_of(&ada);
    both_end(&mut called_in, "token_revoked", 4403).await;
    ada.get(STREAM).await.expect(401);
    platform.enrols(&elsewhere, "Logic").await;
    for other in &mut others {
        assert_eq!(other.place().await, 1);
    }
}

#[tokio::test]
async fn what_is_open_is_told_when_to_come_back_when_the_process_is_asked_to_stop() {
    let platform = Platform::start();
    let mut lines = Vec::new();
    for id in 1..=4 {
        lines.extend(Line::both(&platform.person(id)).await);
    }
    // One that has not said hello ends as well.
    let mut silent = platform.person(5).dials().await;
    let asked = Instant::now();
    platform.app.lifecycle().stop();
    for line in &mut lines {
        let end = line.end().await;
        let retry = end.retry_ms.expect("clients are told when to come back");
        assert!((3_000..=6_000).contains(&retry), "{retry}");
        let how = (end.code, end.reason.as_deref());
        assert!(matches!(how, (None, None) | (Some(4000), Some("stopping"))));
    }
    assert_eq!(silent.closed().await, (4000, "stopping".to_owned()));
    assert!(asked.elapsed() < AT_ONCE);
    // Dropping the platform asserts that the service ended cleanly, within its grace period.
}

/// Neither transport lets somebody in.
async fn both_are_refused(person: &Person, status: u16) {
    let refused = person.get(STREAM).await.expect(status);
    refused.problem();
    assert!(refused.header("retry-after").is_some());
    assert_eq!(dials(person).await.err(), Some(status));
}

async fn dials(person: &Person) -> Result<Socket, u16> {
    let token = format!("Bearer {}", person.token);
    person
        .dials_with(SOCKET, &[("authorization", &token)])
        .await
}

#[tokio::test]
async fn a_person_has_so_many_streams_whatever_they_are_sent_by() {
    let platform = Platform::with(|live| live.streams_per_user = 2);
    let (ada, bob) = (platform.person(1), platform.person(2));
    let [first, _second] = Line::both(&ada).await;
    both_are_refused(&ada, 429).await;
    let _bobs = Line::both(&bob).await;
    drop(first);
    let let_in = timeout(PATIENCE, async { while dials(&ada).await.is_err() {} });
    let_in.await.expect("a closed stream makes room");
    there_is_room_for(&platform, &ada).await;
}

#[tokio::test]
async fn a_process_has_so_many_streams_whatever_they_are_sent_by() {
    let platform = Platform::with(|live| live.streams_per_node = 2);
    let [_first, second] = Line::both(&platform.person(1)).await;
    let bob = platform.person(2);
    both_are_refused(&bob, 503).await;
    drop(second);
    there_is_room_for(&platform, &bob).await;
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
