//! Who may listen to a course, and how often the course service is asked.

use futures_util::future::join_all;
use lyceum_contracts::live::Connections;
use lyceum_contracts::notification::StreamTicket;
use lyceum_contracts::role::Role;

use super::campus::{Campus, LOGIC, LOGIC_SOCKET, next_places};
use crate::platform::{Person, enrolment};

impl Campus {
    fn admin(&self) -> Person {
        let token = self.platform.tokens.admin(9);
        self.platform.holder_of(9, token)
    }

    /// How often the course service was asked.
    fn asked(&self) -> usize {
        self.courses.requests().len()
    }
}

#[tokio::test]
async fn who_is_not_in_a_course_may_not_listen_and_a_draft_is_not_to_be_known() {
    let campus = Campus::start();
    let stranger = campus.platform.person(1);
    let refused = stranger.get(LOGIC).await.expect(403);
    assert_eq!(refused.problem().r#type, "/problems/forbidden");
    assert_eq!(stranger.dials_logic().await.err(), Some(403));
    // 4 is a draft, 5 is nothing, and the rest are no ids.
    for course in ["4", "5", "0", "x", "-1"] {
        let path = format!("/sse/courses/{course}");
        let missing = stranger.get(&path).await.expect(404);
        assert_eq!(missing.problem().r#type, "/problems/not-found");
        let token = format!("Bearer {}", stranger.token);
        let path = format!("/ws/courses/{course}");
        let dialled = stranger
            .dials_with(&path, &[("authorization", &token)])
            .await;
        assert_eq!(dialled.err(), Some(404), "{path}");
    }
    let opened = campus.admin().get("/connections").await.expect(200);
    assert_eq!(opened.json::<Connections>().streams, []);
}

#[tokio::test]
async fn admins_may_listen_to_any_course_there_is() {
    let campus = Campus::start();
    let admin = campus.admin();
    let (mut stream, _) = admin.listens_to_logic(None).await;
    campus.is_renamed(1..=1).await;
    assert_eq!(next_places(&mut stream, 1).await, [1]);
    let (_draft, _) = admin.listens_at("/sse/courses/4", None).await;
    admin.get("/sse/courses/5").await.expect(404);
    // The teacher of a draft is in it.
    campus.enters(4, 2);
    let token = campus.platform.tokens.token(2, Role::Instructor).sign();
    let teacher = campus.platform.holder_of(2, token);
    let (_draft, _) = teacher.listens_at("/sse/courses/4", None).await;

    let seen: Connections = admin.get("/connections").await.expect(200).json();
    assert_eq!((seen.courses, seen.people, seen.open.sse), (2, 2, 3));
    let mut courses: Vec<_> = seen.streams.iter().map(|it| it.course_id).collect();
    courses.sort_unstable();
    assert_eq!(courses, [3, 4, 4].map(|id| id.try_into().ok()));
}

#[tokio::test]
async fn a_course_service_that_cannot_be_asked_is_a_503_to_come_back_after() {
    let campus = Campus::start();
    let ada = campus.member(1);
    campus.fails_with(500);
    let refused = ada.get(LOGIC).await.expect(503);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(refused.problem().r#type, "/problems/unavailable");
    assert_eq!(ada.dials_logic().await.err(), Some(503));
    // One's own notifications need nobody else.
    let (_own, _) = ada.listens(None).await;
    campus.answers();
    let (_stream, _) = ada.listens_to_logic(None).await;
}

#[tokio::test]
async fn who_is_in_a_course_is_asked_once_however_many_streams_begin() {
    let campus = Campus::with(|settings| {
        let courses = &mut settings.service.courses;
        (courses.member_for_ms, courses.stranger_for_ms) = (600_000, 600_000);
    });
    let ada = campus.member(1);
    let streams = join_all((0..5).map(|_| ada.listens_to_logic(None))).await;
    assert_eq!(campus.asked(), 1);
    drop(streams);
    let (_socket, _) = ada.tunes_in_to_logic(None).await;
    assert_eq!(campus.asked(), 1);
    let stranger = campus.platform.person(2);
    for _ in 0..3 {
        stranger.get(LOGIC).await.expect(403);
    }
    assert_eq!(campus.asked(), 2);
}

#[tokio::test]
async fn who_enrols_may_listen_at_once_whatever_was_answered_before() {
    let campus = Campus::with(|settings| settings.service.courses.stranger_for_ms = 600_000);
    let ada = campus.platform.person(1);
    ada.get(LOGIC).await.expect(403);
    campus.enters(3, 1);
    ada.get(LOGIC).await.expect(403);
    campus.platform.happens(&[enrolment(1, "Logic")]).await;
    let (_stream, _) = ada.listens_to_logic(None).await;
}

#[tokio::test]
async fn tickets_origins_and_limits_are_those_of_every_stream() {
    let campus = Campus::with(|settings| settings.service.live.streams_per_user = 2);
    let ada = campus.member(1);
    let ticket: StreamTicket = ada.post("/stream-tickets").await.expect(201).json();
    let path = format!("{LOGIC}?ticket={}", ticket.ticket);
    let client = campus.platform.app.client();
    let foreign = client.get(&path).header("origin", "https://evil.test");
    foreign.send().await.expect(403);
    assert_eq!(client.get(&path).status().await, 200);
    assert_eq!(client.get(&path).status().await, 401, "it counts once");
    let token = format!("Bearer {}", ada.token);
    let headers = [("authorization", &*token), ("origin", "https://evil.test")];
    let dialled = ada.dials_with(LOGIC_SOCKET, &headers).await;
    assert_eq!(dialled.err(), Some(403));

    let ada = campus.member(2);
    let (_own, _) = ada.listens(None).await;
    let (_course, _) = ada.tunes_in_to_logic(None).await;
    ada.get(LOGIC).await.expect(429);
    let unknown = ada.get(&format!("{LOGIC}?since=3")).await.expect(422);
    assert_eq!(unknown.problem().errors[0].pointer, "?since");
}
