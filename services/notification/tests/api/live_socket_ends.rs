//! How sockets end whose clients say nothing, or read nothing.

use crate::platform::Platform;
use crate::socket::{Heard, RawSocket, frame};

const HELLO: &[u8] = br#"{"type":"hello","last_seq":0}"#;

fn closed(code: u16, reason: &str) -> (u16, String) {
    (code, reason.to_owned())
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
