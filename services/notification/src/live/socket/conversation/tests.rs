//! The conversation, moment by moment.

use actix_http::ws::{Frame, Item};
use proptest::prelude::*;

use super::super::window::{BYTES, MESSAGES};
use super::*;

const PATIENCE: Patience = Patience {
    hello: Duration::from_secs(5),
    ping: Duration::from_secs(25),
    pong: Duration::from_secs(8),
    per_minute: 100,
};

fn text(text: &str) -> Frame {
    Frame::Text(Bytes::copy_from_slice(text.as_bytes()))
}

fn pong(number: u32) -> Frame {
    Frame::Pong(Bytes::copy_from_slice(&number.to_be_bytes()))
}

fn open(now: Instant) -> Conversation {
    let mut conversation = Conversation::new(PATIENCE, now);
    let hello = text(r#"{"type":"hello","last_seq":3}"#);
    assert_eq!(conversation.receive(hello, now), Reply::Welcome(Some(3)));
    conversation.welcomed(3);
    conversation
}

#[test]
fn nothing_is_told_before_hello_which_is_not_waited_for_for_ever() {
    let now = Instant::now();
    let mut conversation = Conversation::new(PATIENCE, now);
    assert!(!conversation.has_room());
    assert_eq!(conversation.due(), now + PATIENCE.hello);
    assert_eq!(conversation.tick(now), Reply::Nothing);
    let late = conversation.due();
    assert_eq!(conversation.tick(late), Reply::Close(Closing::NoHello));
    let ack = text(r#"{"type":"ack","seq":0}"#);
    assert_eq!(
        conversation.receive(ack, now),
        Reply::Close(Closing::NotHello)
    );
}

#[test]
fn a_silent_client_is_asked_for_a_sign_of_life_and_left_without_one() {
    let mut conversation = open(Instant::now());
    let asked = conversation.due();
    assert_eq!(conversation.tick(asked), Reply::Ping(1));
    // An older pong, or one nobody asked for, is none.
    assert_eq!(conversation.receive(pong(0), asked), Reply::Nothing);
    assert_eq!(conversation.due(), asked + PATIENCE.pong);
    assert_eq!(conversation.receive(pong(1), asked), Reply::Nothing);
    assert_eq!(conversation.due(), asked + PATIENCE.ping);
    let asked = conversation.due();
    assert_eq!(conversation.tick(asked), Reply::Ping(2));
    let late = conversation.due();
    assert_eq!(conversation.tick(late), Reply::Close(Closing::NoPong));
}

#[test]
fn a_client_that_takes_nothing_is_sent_so_much_and_then_left() {
    let now = Instant::now();
    let mut conversation = open(now);
    let mut sent = 0;
    while conversation.has_room() {
        sent += 1;
        conversation.sent(3 + i64::from(sent), 100, now);
        if conversation.due() == now {
            conversation.tick(now);
        }
    }
    assert_eq!(sent, MESSAGES);
    let late = conversation.due();
    assert_eq!(late, now + PATIENCE.pong);
    assert_eq!(conversation.tick(late), Reply::Close(Closing::Slow));
}

#[test]
fn an_answer_makes_room_and_so_does_a_place_the_client_has_come_to() {
    let now = Instant::now();
    let mut conversation = open(now);
    conversation.sent(4, BYTES, now);
    assert!(!conversation.has_room());
    assert_eq!(conversation.tick(conversation.due()), Reply::Ping(1));
    assert_eq!(conversation.receive(pong(1), now), Reply::Nothing);
    assert!(conversation.has_room());
    conversation.sent(5, BYTES, now);
    let ack = |seq: i64| text(&format!(r#"{{"type":"ack","seq":{seq}}}"#));
    assert_eq!(conversation.receive(ack(4), now), Reply::Nothing);
    assert!(!conversation.has_room());
    assert_eq!(conversation.receive(ack(5), now), Reply::Nothing);
    assert!(conversation.has_room());
    let never = Reply::Objection(Objection::NeverSent);
    assert_eq!(conversation.receive(ack(6), now), never);
}

#[test]
fn a_message_may_come_in_parts_and_is_no_longer_for_it() {
    let now = Instant::now();
    let mut conversation = Conversation::new(PATIENCE, now);
    let part = |text: &'static str| Bytes::from_static(text.as_bytes());
    for frame in [
        Frame::Continuation(Item::FirstText(part("{\"type\":"))),
        Frame::Ping(Bytes::new()),
        Frame::Continuation(Item::Continue(part("\"hel"))),
    ] {
        let reply = conversation.receive(frame, now);
        assert!(
            matches!(reply, Reply::Nothing | Reply::Pong(_)),
            "{reply:?}"
        );
    }
    let last = Frame::Continuation(Item::Last(part("lo\"}")));
    assert_eq!(conversation.receive(last, now), Reply::Welcome(None));

    let long = |item: fn(Bytes) -> Item| Frame::Continuation(item(vec![b' '; MAX_MESSAGE].into()));
    assert_eq!(
        conversation.receive(long(Item::FirstText), now),
        Reply::Nothing
    );
    let closed = conversation.receive(long(Item::Continue), now);
    assert_eq!(closed, Reply::Close(Closing::TooBig));
}

#[test]
fn what_is_not_understood_is_answered_twice_and_then_no_more() {
    let now = Instant::now();
    let mut conversation = open(now);
    let malformed = Reply::Objection(Objection::MalformedJson);
    assert_eq!(conversation.receive(text("{"), now), malformed);
    let again = Reply::Objection(Objection::AlreadyGreeted);
    assert_eq!(
        conversation.receive(text(r#"{"type":"hello"}"#), now),
        again
    );
    let closed = Reply::Close(Closing::NotUnderstood);
    assert_eq!(conversation.receive(text("[]"), now), closed);
    let binary = Frame::Binary(Bytes::new());
    assert_eq!(
        conversation.receive(binary, now),
        Reply::Close(Closing::TextOnly)
    );
    let not_utf8 = Frame::Text(Bytes::from_static(b"\xff"));
    assert_eq!(
        conversation.receive(not_utf8, now),
        Reply::Close(Closing::NotUtf8)
    );
}

#[test]
fn a_client_that_says_too_much_is_left_and_one_that_says_it_slowly_is_not() {
    let now = Instant::now();
    let ping = || Frame::Ping(Bytes::new());
    let mut conversation = open(now);
    let said = (0..200).take_while(|_| {
        conversation.receive(ping(), now) != Reply::Close(Closing::TooManyMessages)
    });
    assert_eq!(said.count(), 99, "hello was the first of a hundred");
    let mut conversation = open(now);
    for second in 0..300 {
        let reply = conversation.receive(ping(), now + Duration::from_secs(second));
        assert_eq!(reply, Reply::Pong(Bytes::new()), "in second {second}");
    }
}

fn frames() -> impl Strategy<Value = Frame> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..80).prop_map(Bytes::from);
    let said = prop::sample::select(vec![
        r#"{"type":"hello","last_seq":3}"#.to_owned(),
        r#"{"type":"ack","seq":4}"#.to_owned(),
        r#"{"type":"ack","seq":-9223372036854775808}"#.to_owned(),
        "{".to_owned(),
    ]);
    prop_oneof![
        said.prop_map(|said| text(&said)),
        bytes().prop_map(Frame::Text),
        bytes().prop_map(Frame::Ping),
        bytes().prop_map(Frame::Pong),
        (0..9_u32).prop_map(pong),
        bytes().prop_map(|part| Frame::Continuation(Item::FirstText(part))),
        bytes().prop_map(|part| Frame::Continuation(Item::Continue(part))),
        bytes().prop_map(|part| Frame::Continuation(Item::Last(part))),
        Just(()).prop_map(|()| Frame::Close(None)),
    ]
}

proptest! {
    /// Whatever a client sends, and whenever: no more is ever on its way than fits the window, it
    /// is never waited for longer than patience has it, and it is welcomed once.
    #[test]
    fn whatever_a_client_does_the_server_keeps_its_bounds(
        steps in prop::collection::vec((frames(), 0..3_000_u64, 0..40_u8), 0..200),
    ) {
        let mut now = Instant::now();
        let mut conversation = Conversation::new(PATIENCE, now);
        let (mut seq, mut unanswered, mut welcomes) = (0, 0, 0);
        for (frame, pause, news) in steps {
            now += Duration::from_millis(pause);
            let answered = conversation.is_answer(&frame);
            let mut replies = vec![conversation.receive(frame, now)];
            if answered || replies[0] == Reply::Nothing && seq > 0 {
                unanswered = 0;
            }
            for _ in 0..news {
                if conversation.has_room() {
                    seq += 1;
                    unanswered += 1;
                    conversation.sent(seq, 100, now);
                }
            }
            while conversation.due() <= now {
                replies.push(conversation.tick(now));
                if matches!(replies.last(), Some(Reply::Close(_))) {
                    break;
                }
            }
            prop_assert!(unanswered <= MESSAGES);
            prop_assert!(conversation.due() <= now + PATIENCE.ping);
            welcomes += replies.iter().filter(|it| matches!(it, Reply::Welcome(_))).count();
            prop_assert!(welcomes <= 1);
            if replies.iter().any(|it| matches!(it, Reply::Close(_) | Reply::Goodbye(_))) {
                return Ok(());
            }
        }
    }
}
