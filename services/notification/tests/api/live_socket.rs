//! The live stream on a WebSocket: the same sequence, missing nothing, told to its owner alone.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::platform::{Platform, next_notification};
use crate::socket::SOCKET;

#[tokio::test]
async fn an_enrolment_is_told_on_a_socket_as_it_stands_in_the_inbox() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let (mut socket, welcome) = ada.tunes_in(None).await;
    assert_eq!(
        welcome,
        json!({"type": "welcome", "recovered": false, "head_seq": 0, "unread": 0, "capped": false, "seq": 0})
    );
    platform.enrols(&ada, "Logic").await;
    let told = socket.hears_notification().await;
    assert_eq!(told.title, "You are enrolled in Logic");
    assert_eq!(ada.inbox().await, [told]);
}

#[tokio::test]
async fn a_client_that_is_cut_off_on_one_transport_goes_on_on_the_other() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 2).await;
    let (mut stream, _) = ada.listens(Some("0")).await;
    assert_eq!(next_notification(&mut stream).await.seq, 1);
    drop(stream);
    let (mut socket, welcome) = ada.tunes_in(Some(1)).await;
    assert_eq!(
        welcome,
        json!({"type": "welcome", "recovered": true, "head_seq": 2, "unread": 2, "capped": false, "seq": 1})
    );
    assert_eq!(socket.hears_places(1).await, [2]);
    platform.enrols(&ada, "Logic").await;
    assert_eq!(socket.hears_places(1).await, [3]);
    drop(socket);
    platform.enrols(&ada, "Sets").await;
    let (mut stream, sync) = ada.listens(Some("3")).await;
    assert_eq!(sync["recovered"], true);
    assert_eq!(next_notification(&mut stream).await.seq, 4);
}

#[tokio::test]
async fn both_transports_tell_the_same_at_once() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let (mut stream, _) = ada.listens(None).await;
    let (mut one, _) = ada.tunes_in(None).await;
    let (mut other, _) = ada.tunes_in(None).await;
    platform.enrols_in_many(&ada, 20).await;
    for _ in 0..20 {
        let told = next_notification(&mut stream).await;
        assert_eq!(one.hears_notification().await, told);
        assert_eq!(other.hears_notification().await, told);
    }
}

#[tokio::test]
async fn more_than_is_ever_on_its_way_is_told_whole_to_a_client_that_answers() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 400).await;
    let (mut socket, _) = ada.tunes_in(Some(0)).await;
    assert_eq!(
        socket.hears_places(400).await,
        (1..=400).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_place_that_cannot_be_true_begins_at_the_head_and_never_in_anothers_sequence() {
    let platform = Platform::start();
    let (ada, bob) = (platform.person(1), platform.person(2));
    platform.enrols_in_many(&bob, 9).await;
    platform.enrols_in_many(&ada, 2).await;
    for (told, place) in (3..).zip([999_999_999, 9, -1, i64::MIN, i64::MAX]) {
        let (mut socket, welcome) = ada.tunes_in(Some(place)).await;
        assert_eq!(welcome["recovered"], false, "{place}");
        assert_eq!(welcome["seq"], welcome["head_seq"]);
        platform.enrols(&bob, "Sets").await;
        platform.enrols(&ada, "Logic").await;
        let notification = socket.hears_notification().await;
        assert_eq!(
            (notification.seq, &*notification.title),
            (told, "You are enrolled in Logic")
        );
    }
}

#[tokio::test]
async fn a_client_may_ask_for_a_sign_of_life_too() {
    let platform = Platform::start();
    let (mut socket, _) = platform.person(1).tunes_in(None).await;
    socket.sends(Message::Ping("there?".into())).await;
    assert_eq!(socket.hears().await, json!({"pong": "there?"}));
}

#[tokio::test]
async fn what_is_acknowledged_makes_room_without_a_ping() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 3).await;
    let (mut socket, _) = ada.tunes_in(Some(0)).await;
    assert_eq!(socket.hears_places(3).await, [1, 2, 3]);
    socket.says(&json!({"type": "ack", "seq": 3})).await;
    socket.says(&json!({"type": "ack", "seq": 4})).await;
    let error = json!({"type": "error", "code": "never_sent"});
    assert_eq!(socket.hears().await, error);
}

#[tokio::test]
async fn a_request_that_is_no_handshake_is_a_problem() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let problem = ada.get(SOCKET).await.expect(400).problem();
    assert_eq!(problem.r#type, "/problems/malformed-request");
    let token = format!("Bearer {}", ada.token);
    for (name, value) in [("sec-websocket-version", "12"), ("upgrade", "h2c")] {
        let headers = [("authorization", &*token), (name, value)];
        let refused = ada.dials_with(SOCKET, &headers).await;
        assert_eq!(refused.err(), Some(400), "{name}: {value}");
    }
    let refused = ada.dials_with(SOCKET, &[]).await;
    assert_eq!(refused.err(), Some(401));
}
