//! One sequence per course, whichever transport and replica it is followed by.

use lyceum_testing::database::Engine;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

use super::campus::{Campus, next_news, next_places};
use crate::platform::Person;

#[tokio::test]
async fn what_happens_in_a_course_is_written_once_and_told_to_everybody_in_it() {
    let campus = Campus::start();
    let (ada, bob) = (campus.member(1), campus.member(2));
    let (mut stream, sync) = ada.listens_to_logic(None).await;
    assert_eq!(sync, json!({"recovered": false, "head_seq": 0}));
    let (mut socket, welcome) = bob.tunes_in_to_logic(None).await;
    assert_eq!(
        welcome,
        json!({"type": "welcome", "recovered": false, "head_seq": 0, "seq": 0})
    );
    let (mut own, _) = ada.listens(None).await;
    campus.is_renamed(1..=1).await;
    let told = next_news(&mut stream).await;
    assert_eq!((told.course_id.get(), told.seq), (3, 1));
    assert_eq!(told.kind, "course.updated");
    assert_eq!(told.data, json!({"title": "1", "version": 1}));
    assert_eq!(socket.hears_news().await, told);

    let database = campus.platform.app.database().connect().await;
    let count = "SELECT COUNT(*) FROM course_news";
    let count = Statement::from_string(database.get_database_backend(), count);
    let row = database.query_one_raw(count).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 1);
    // An own stream tells of what one is told by name, and of nothing else.
    campus.platform.enrols(&ada, "Sets").await;
    assert_eq!(
        own.next_event(lyceum_testing::PATIENCE).await.id.as_deref(),
        Some("1")
    );
    assert_eq!(ada.unread().await, 1);
    assert_eq!(bob.unread().await, 0);
}

#[tokio::test]
async fn a_listener_who_was_cut_off_goes_on_on_either_transport_without_gap_or_repeat() {
    let campus = Campus::start();
    let ada = campus.member(1);
    let (mut stream, _) = ada.listens_to_logic(None).await;
    campus.is_renamed(1..=2).await;
    assert_eq!(next_places(&mut stream, 2).await, [1, 2]);
    drop(stream);
    campus.is_renamed(3..=5).await;
    let (mut socket, welcome) = ada.tunes_in_to_logic(Some(2)).await;
    assert_eq!(
        (&welcome["recovered"], &welcome["head_seq"]),
        (&json!(true), &json!(5))
    );
    assert_eq!(socket.hears_places_of_news(2).await, [3, 4]);
    drop(socket);
    campus.is_renamed(6..=6).await;
    let (mut back, sync) = ada.listens_to_logic(Some("4")).await;
    assert_eq!(sync, json!({"recovered": true, "head_seq": 6}));
    assert_eq!(next_places(&mut back, 2).await, [5, 6]);
    campus.is_renamed(7..=7).await;
    assert_eq!(next_places(&mut back, 1).await, [7]);
    let (_, sync) = ada.listens_to_logic(Some("99")).await;
    assert_eq!(sync, json!({"recovered": false, "head_seq": 7}));
}

#[tokio::test]
async fn more_than_is_kept_is_told_to_all_in_order_and_acknowledged_as_ever() {
    let campus = Campus::start();
    let (ada, bob) = (campus.member(1), campus.member(2));
    let (mut stream, _) = ada.listens_to_logic(None).await;
    let (mut socket, _) = bob.tunes_in_to_logic(None).await;
    campus.is_renamed(1..=400).await;
    let all: Vec<i64> = (1..=400).collect();
    assert_eq!(next_places(&mut stream, 400).await, all);
    assert_eq!(socket.hears_places_of_news(400).await, all);
    socket.says(&json!({"type": "ack", "seq": 400})).await;
    socket.says(&json!({"type": "ack", "seq": 401})).await;
    let objection = json!({"type": "error", "code": "never_sent"});
    assert_eq!(socket.hears().await, objection);
}

/// On Postgres replicas tell one another; on `SQLite` they look.
fn looks() -> bool {
    Engine::chosen() == Engine::Sqlite
}

#[tokio::test]
async fn what_one_replica_takes_in_is_told_to_the_listeners_of_the_other() {
    let campus = Campus::with(|settings| {
        (settings.service.live.sweep, settings.service.live.sweep_ms) = (looks(), 10);
    });
    let other = campus.replica(|settings| {
        (settings.service.live.sweep, settings.service.live.sweep_ms) = (looks(), 10);
    });
    let here = campus.member(1);
    let there = Person {
        client: other.client().clone(),
        ..here.clone()
    };
    let (mut stream_here, _) = here.listens_to_logic(None).await;
    let (mut stream_there, _) = there.listens_to_logic(None).await;
    let (mut socket_there, _) = there.tunes_in_to_logic(None).await;
    for seq in 1..=20 {
        campus.is_renamed(seq..=seq).await;
        assert_eq!(next_places(&mut stream_here, 1).await, [seq]);
        assert_eq!(next_places(&mut stream_there, 1).await, [seq]);
        assert_eq!(socket_there.hears_places_of_news(1).await, [seq]);
    }
    // Many at once, of which the other replica hears only how many they are.
    campus.is_renamed(21..=320).await;
    let rest: Vec<i64> = (21..=320).collect();
    assert_eq!(next_places(&mut stream_there, 300).await, rest);
    assert_eq!(socket_there.hears_places_of_news(300).await, rest);
    drop(stream_here);
    let (mut back, sync) = there.listens_to_logic(Some("319")).await;
    assert_eq!(sync["recovered"], true);
    assert_eq!(next_places(&mut back, 1).await, [320]);
    drop(other);
}
