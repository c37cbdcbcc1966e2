//! The live stream: what it says first, that it misses nothing, and that it tells only its owner.

use std::time::Duration;

use lyceum_testing::PATIENCE;
use lyceum_testing::http::SseStream;
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::platform::{Platform, STREAM, data, next_notification};

/// The places of the next `count` notifications.
async fn next_places(stream: &mut SseStream, count: usize) -> Vec<i64> {
    let mut places = Vec::new();
    for _ in 0..count {
        places.push(next_notification(stream).await.seq);
    }
    places
}

#[tokio::test]
async fn an_enrolment_is_told_live_as_it_stands_in_the_inbox() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let (mut stream, sync) = ada.listens(None).await;
    assert_eq!(
        sync,
        json!({"recovered": false, "head_seq": 0, "unread": 0, "capped": false})
    );
    platform.enrols(&ada, "Logic").await;
    let told = next_notification(&mut stream).await;
    assert_eq!(told.title, "You are enrolled in Logic");
    assert_eq!(ada.inbox().await, [told]);
}

#[tokio::test]
async fn a_stream_says_how_to_come_back_before_anything_else() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 2).await;
    let mut stream = ada.client.sse(STREAM, &ada.token, None).await;
    let first = stream.next(PATIENCE).await.unwrap();
    assert_eq!(first.retry, Some(Duration::from_secs(3)));
    let sync = stream.next(PATIENCE).await.unwrap();
    assert_eq!(
        (sync.event.as_deref(), sync.id.as_deref()),
        (Some("sync"), Some("2"))
    );
    assert_eq!(
        data(&sync),
        json!({"recovered": false, "head_seq": 2, "unread": 2, "capped": false})
    );
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed_in_order() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let (mut stream, _) = ada.listens(None).await;
    platform.enrols_in_many(&ada, 2).await;
    assert_eq!(next_places(&mut stream, 2).await, [1, 2]);
    drop(stream);
    platform.enrols_in_many(&ada, 3).await;

    let (mut stream, sync) = ada.listens(Some("2")).await;
    assert_eq!(
        sync,
        json!({"recovered": true, "head_seq": 5, "unread": 5, "capped": false})
    );
    assert_eq!(next_places(&mut stream, 3).await, [3, 4, 5]);
    platform.enrols(&ada, "Logic").await;
    assert_eq!(next_places(&mut stream, 1).await, [6]);
}

#[tokio::test]
async fn a_client_cut_off_before_the_first_notification_misses_none() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 2).await;
    let mut stream = ada.client.sse(STREAM, &ada.token, None).await;
    let place = stream.next_event(PATIENCE).await.id;
    drop(stream);
    platform.enrols(&ada, "Logic").await;
    let (mut stream, sync) = ada.listens(place.as_deref()).await;
    assert_eq!(sync["recovered"], true);
    assert_eq!(next_places(&mut stream, 1).await, [3]);
}

#[tokio::test]
async fn more_than_one_read_can_hold_is_replayed_whole() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 250).await;
    let (mut stream, _) = ada.listens(Some("0")).await;
    assert_eq!(
        next_places(&mut stream, 250).await,
        (1..=250).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn the_place_may_stand_in_the_query_and_the_header_wins() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 3).await;
    let path = format!("{STREAM}?last_event_id=1");
    let (mut stream, sync) = ada.listens_at(&path, None).await;
    assert_eq!(sync["recovered"], true);
    assert_eq!(next_places(&mut stream, 1).await, [2]);
    let (mut stream, _) = ada.listens_at(&path, Some("2")).await;
    assert_eq!(next_places(&mut stream, 1).await, [3]);
}

#[tokio::test]
async fn a_place_that_cannot_be_true_begins_at_the_head_and_never_in_anothers_sequence() {
    let platform = Platform::start();
    let (ada, bob) = (platform.person(1), platform.person(2));
    platform.enrols_in_many(&bob, 9).await;
    platform.enrols_in_many(&ada, 2).await;
    // 9 is a place in Bob's sequence and none in Ada's.
    for place in [
        "999999999",
        "9",
        "abc",
        "-1",
        "1 OR 1=1",
        "18446744073709551616",
    ] {
        let (mut stream, sync) = ada.listens(Some(place)).await;
        assert_eq!(sync["recovered"], false, "{place}");
        assert_eq!(sync["unread"], sync["head_seq"], "all of hers are unread");
        platform.enrols(&bob, "Sets").await;
        platform.enrols(&ada, place).await;
        let told = next_notification(&mut stream).await;
        assert_eq!(told.title, format!("You are enrolled in {place}"));
        assert_eq!(
            Some(told.seq),
            sync["head_seq"].as_i64().map(|head| head + 1)
        );
    }
}

#[tokio::test]
async fn every_stream_of_a_person_gets_everything_and_no_other_persons_stream_anything() {
    let platform = Platform::start();
    let (ada, bob) = (platform.person(1), platform.person(2));
    let (mut first, _) = ada.listens(None).await;
    let (mut second, _) = ada.listens(None).await;
    let (mut bobs, _) = bob.listens(None).await;
    platform.enrols_in_many(&ada, 3).await;
    platform.enrols(&bob, "Sets").await;
    assert_eq!(next_places(&mut first, 3).await, [1, 2, 3]);
    assert_eq!(next_places(&mut second, 3).await, [1, 2, 3]);
    assert_eq!(
        next_notification(&mut bobs).await.title,
        "You are enrolled in Sets"
    );
}

#[tokio::test]
async fn an_idle_stream_says_that_it_is_alive() {
    let platform = Platform::with(|live| live.heartbeat_ms = 20);
    let (mut stream, _) = platform.person(1).listens(None).await;
    for _ in 0..3 {
        let beat = stream.next(PATIENCE).await.unwrap();
        assert_eq!((beat.comments, beat.data), (vec!["ping".to_owned()], None));
    }
}

#[tokio::test]
async fn what_another_replica_has_written_is_found() {
    let platform = Platform::with(|live| {
        live.sweep = true;
        live.sweep_ms = 10;
    });
    let ada = platform.person(1);
    platform.enrols(&ada, "Logic").await;
    let (mut stream, _) = ada.listens(None).await;
    platform.another_replica_writes(&ada, 1, "").await;
    assert_eq!(next_notification(&mut stream).await.seq, 2);
}

#[tokio::test]
async fn a_stream_outlasts_a_database_that_is_away_and_misses_nothing() {
    let platform = Platform::with(|live| {
        live.heartbeat_ms = 20;
        live.sweep = true;
        live.sweep_ms = 10;
    });
    let ada = platform.person(1);
    platform.enrols(&ada, "Logic").await;
    let (mut stream, _) = ada.listens(None).await;
    let database = platform.app.database().connect().await;
    let rename = "ALTER TABLE notifications RENAME TO elsewhere";
    database.execute_unprepared(rename).await.unwrap();
    let raise = "UPDATE recipients SET head_seq = 2";
    database.execute_unprepared(raise).await.unwrap();
    // One beat may have been on its way; from the second on the stream has tried to read.
    for _ in 0..3 {
        assert_eq!(stream.next(PATIENCE).await.unwrap().comments, ["ping"]);
    }
    let back = "ALTER TABLE elsewhere RENAME TO notifications";
    database.execute_unprepared(back).await.unwrap();
    platform.another_replica_writes(&ada, 1, "").await;
    assert_eq!(next_notification(&mut stream).await.seq, 2);
}

#[tokio::test]
async fn the_answer_is_one_that_proxies_pass_on_as_it_comes() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let answer = platform.listens_briefly(&ada).await.expect(200);
    for (name, value) in [
        ("content-type", "text/event-stream; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
        ("content-length", ""),
    ] {
        assert_eq!(answer.header(name).unwrap_or_default(), value, "{name}");
    }
    let text = answer.text();
    assert!(
        text.starts_with("retry: 3000\n\nevent: sync\nid: 0\ndata: {"),
        "{text}"
    );
    assert!(
        text.ends_with("event: bye\ndata: {\"reason\":\"token_expired\"}\n\n"),
        "{text}"
    );
}
