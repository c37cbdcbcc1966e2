//! Frames that are not as they should be: each is answered or closes its socket, none harms.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::platform::Platform;
use crate::socket::{Heard, RawSocket, frame};

#[tokio::test]
async fn every_frame_that_cannot_be_closes_its_socket_with_its_code() {
    let platform = Platform::start();
    let ada = platform.person(1);
    // Said to be longer than it is: nobody waits for the rest.
    let mut long = vec![0x81, 0xff];
    long.extend((65_537_u64).to_be_bytes());
    long.extend([0; 4]);
    long.extend(vec![b' '; 8_192]);
    let mut endless = vec![0x81, 0xff];
    endless.extend((u64::MAX).to_be_bytes());
    endless.extend([0; 4]);
    let pieces: Vec<u8> = [frame(0x01, &[b' '; 4_000]), frame(0x00, &[b' '; 4_000])].concat();
    let flood: Vec<u8> = (0..101).flat_map(|_| frame(0x89, b"?")).collect();
    let fragments: Vec<u8> = std::iter::once(frame(0x01, b""))
        .chain((0..101).map(|_| frame(0x00, b"")))
        .flatten()
        .collect();
    for (what, bytes, code, reason) in [
        ("binary", frame(0x82, b"{}"), 1003, "text_only"),
        ("not UTF-8", frame(0x81, b"\xff"), 1007, "not_utf8"),
        ("64 KiB and one", long, 1009, "too_big"),
        ("longer than there are bytes", endless, 1009, "too_big"),
        ("too long in pieces", pieces, 1009, "too_big"),
        (
            "not masked",
            vec![0x81, 2, b'{', b'}'],
            1002,
            "protocol_error",
        ),
        ("reserved bits", frame(0xf1, b"{}"), 1002, "protocol_error"),
        (
            "a kind there is not",
            frame(0x83, b"{}"),
            1002,
            "protocol_error",
        ),
        (
            "the middle of nothing",
            frame(0x80, b"{}"),
            1002,
            "protocol_error",
        ),
        (
            "a long ping",
            frame(0x89, &[0; 126]),
            1002,
            "protocol_error",
        ),
        (
            "a ping in pieces",
            frame(0x09, b"?"),
            1002,
            "protocol_error",
        ),
        ("a flood of pings", flood, 4429, "too_many_messages"),
        ("a flood of pieces", fragments, 4429, "too_many_messages"),
        (
            "an ack for hello",
            frame(0x81, br#"{"type":"ack","seq":0}"#),
            4500,
            "not_hello",
        ),
        (
            "three of no sense",
            [frame(0x81, b"{"), frame(0x81, b"[]"), frame(0x81, b"7")].concat(),
            1008,
            "not_understood",
        ),
    ] {
        let mut socket = RawSocket::open(&ada).await;
        socket.sends(&bytes).await;
        let closed = loop {
            match socket.hears().await {
                Heard::Closed(closed) => break closed,
                // Pongs, and objections before the last one.
                Heard::Text(_) | Heard::Pong => {}
                other => panic!("{what}: {other:?}"),
            }
        };
        assert_eq!(closed, (code, reason.to_owned()), "{what}");
    }
    platform.enrols(&ada, "Logic").await;
    assert_eq!(ada.tunes_in(Some(0)).await.0.hears_places(1).await, [1]);
}

#[tokio::test]
async fn what_is_not_understood_is_answered_and_the_socket_goes_on() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let (mut socket, _) = ada.tunes_in(None).await;
    for (text, code) in [
        ("{", "malformed_json"),
        (r#"{"type":"subscribe"}"#, "unknown_message"),
    ] {
        socket.sends(Message::text(text)).await;
        assert_eq!(socket.hears().await, json!({"type": "error", "code": code}));
    }
    platform.enrols(&ada, "Logic").await;
    assert_eq!(socket.hears_places(1).await, [1]);
}

#[tokio::test]
async fn a_client_that_says_goodbye_is_answered_in_kind() {
    let platform = Platform::start();
    let ada = platform.person(1);
    for data in [&b""[..], b"\x03\xe8bye"] {
        let mut socket = RawSocket::open(&ada).await;
        socket.sends_frame(0x88, data).await;
        let heard = socket.hears().await;
        if data.is_empty() {
            assert_eq!(heard, Heard::ClosedWithoutCode);
        } else {
            assert_eq!(heard, Heard::Closed((1000, "bye".to_owned())));
        }
    }
}

#[tokio::test]
async fn noise_closes_its_socket_and_nothing_else() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let (mut quiet, _) = ada.tunes_in(None).await;
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let noise: Vec<u8> = (0..random.usize(1..6_000)).map(|_| random.u8(..)).collect();
        let mut socket = RawSocket::open(&ada).await;
        socket.sends(&noise).await;
        drop(socket);
    }
    platform.enrols(&ada, "Logic").await;
    assert_eq!(quiet.hears_places(1).await, [1]);
}
