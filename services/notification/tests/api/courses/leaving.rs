//! How streams of courses end: with the place in the course, with the course, and as all others.

use lyceum_testing::http::SseStream;
use lyceum_testing::{PATIENCE, eventually};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

use super::campus::{Campus, LOGIC, dropped, next_places};
use crate::platform::{data, event};
use crate::socket::Socket;

/// The last words on a stream whose listener is in the course no more.
async fn is_left(stream: &mut SseStream) {
    let bye = stream.next_event(PATIENCE).await;
    assert_eq!(bye.event.as_deref(), Some("bye"));
    assert_eq!(data(&bye), json!({"reason": "not_a_member"}));
    assert_eq!(stream.next(PATIENCE).await, None, "the end, not an error");
}

async fn is_closed(socket: &mut Socket) {
    let bye = json!({"type": "bye", "reason": "not_a_member"});
    assert_eq!(socket.hears().await, bye);
    assert_eq!(socket.closed().await, (4501, "not_a_member".to_owned()));
}

#[tokio::test]
async fn who_gives_up_a_place_hears_no_more_of_the_course_and_the_others_do() {
    // Nobody is asked about again but because of what has happened.
    let campus = Campus::with(|settings| settings.service.courses.member_for_ms = 600_000);
    let (ada, bob) = (campus.member(1), campus.member(2));
    let (mut stream, _) = ada.listens_to_logic(None).await;
    let (mut socket, _) = ada.tunes_in_to_logic(None).await;
    let (mut own, _) = ada.listens(None).await;
    let (mut bobs, _) = bob.listens_to_logic(None).await;
    campus.is_renamed(1..=1).await;
    assert_eq!(next_places(&mut stream, 1).await, [1]);
    assert_eq!(socket.hears_places_of_news(1).await, [1]);

    campus.leaves(3, 1);
    campus.platform.happens(&[dropped(3, 1)]).await;
    is_left(&mut stream).await;
    is_closed(&mut socket).await;
    ada.get(LOGIC).await.expect(403);
    assert_eq!(ada.dials_logic().await.err(), Some(403));
    campus.is_renamed(2..=2).await;
    assert_eq!(next_places(&mut bobs, 2).await, [1, 2]);
    campus.platform.enrols(&ada, "Sets").await;
    crate::platform::next_notification(&mut own).await;
}

#[tokio::test]
async fn an_event_of_a_place_that_was_taken_again_ends_nothing() {
    let campus = Campus::with(|settings| settings.service.courses.member_for_ms = 600_000);
    let ada = campus.member(1);
    let (mut stream, _) = ada.listens_to_logic(None).await;
    // Once for the stream and once for each event; one answer is dealt with before the next question.
    for asked in 2..=3 {
        campus.platform.happens(&[dropped(3, 1)]).await;
        campus.courses.wait_for_requests(asked, PATIENCE).await;
    }
    campus.is_renamed(1..=1).await;
    assert_eq!(next_places(&mut stream, 1).await, [1]);
}

#[tokio::test]
async fn who_has_left_without_a_word_is_found_when_the_answer_has_aged() {
    let campus = Campus::with(|settings| settings.service.courses.member_for_ms = 20);
    let (ada, bob) = (campus.member(1), campus.member(2));
    let (mut stream, _) = ada.listens_to_logic(None).await;
    let (mut socket, _) = ada.tunes_in_to_logic(None).await;
    let (mut bobs, _) = bob.listens_to_logic(None).await;
    campus.leaves(3, 1);
    is_left(&mut stream).await;
    is_closed(&mut socket).await;
    campus.is_renamed(1..=1).await;
    assert_eq!(next_places(&mut bobs, 1).await, [1]);
}

#[tokio::test]
async fn while_the_course_service_is_away_who_listens_goes_on_listening() {
    let campus = Campus::with(|settings| settings.service.courses.member_for_ms = 20);
    let ada = campus.member(1);
    let (mut stream, _) = ada.listens_to_logic(None).await;
    campus.fails_with(500);
    let failed = eventually("asked in vain", async || {
        let captured = campus.platform.app.captured();
        let lines = captured.lines();
        lines
            .iter()
            .any(|line| line.contains("live.members_unknown"))
            .then_some(())
    });
    failed.await;
    campus.is_renamed(1..=1).await;
    assert_eq!(next_places(&mut stream, 1).await, [1]);
}

#[tokio::test]
async fn a_course_that_is_deleted_ends_its_streams_and_leaves_nothing() {
    let campus = Campus::with(|settings| settings.service.courses.member_for_ms = 600_000);
    let ada = campus.member(1);
    let (mut stream, _) = ada.listens_to_logic(None).await;
    let (mut socket, _) = ada.tunes_in_to_logic(None).await;
    campus.is_renamed(1..=2).await;
    assert_eq!(next_places(&mut stream, 2).await, [1, 2]);
    assert_eq!(socket.hears_places_of_news(2).await, [1, 2]);
    let deleted = event("course.deleted", &json!({"course_id": 3}));
    campus.platform.happens(&[deleted]).await;
    is_left(&mut stream).await;
    is_closed(&mut socket).await;
    // What comes late comes too late, and who was let in before finds nothing.
    campus.is_renamed(3..=3).await;
    ada.get(LOGIC).await.expect(404);
    let mut late = ada.dials_logic().await.expect("it was a member");
    late.says(&json!({"type": "hello", "last_seq": 0})).await;
    assert_eq!(late.closed().await, (4501, "not_a_member".to_owned()));
    let database = campus.platform.app.database().connect().await;
    let count = "SELECT COUNT(*) FROM course_news";
    let count = Statement::from_string(database.get_database_backend(), count);
    let row = database.query_one_raw(count).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 0);
}

#[tokio::test]
async fn streams_of_courses_end_with_the_session_and_with_the_process_as_all_do() {
    let campus = Campus::start();
    let (ada, bob) = (campus.member(1), campus.member(2));
    let (mut stream, _) = ada.listens_to_logic(None).await;
    let (mut socket, _) = bob.tunes_in_to_logic(None).await;
    campus.platform.ends_the_session_of(&ada);
    let bye = stream.next_event(PATIENCE).await;
    assert_eq!(data(&bye), json!({"reason": "token_revoked"}));
    assert_eq!(stream.next(PATIENCE).await, None);
    campus.platform.app.lifecycle().stop();
    assert_eq!(socket.hears().await["reason"], "stopping");
    assert_eq!(socket.closed().await, (4000, "stopping".to_owned()));
}
