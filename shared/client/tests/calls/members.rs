//! Who of some people is in a course.

use lyceum_client::testing::{Act, Script};
use lyceum_client::{ClientError, CourseClient, Malformation, UpstreamSettings};
use lyceum_contracts::course::{CourseMembers, CourseStatus};
use lyceum_contracts::ids::UserId;
use serde_json::json;

async fn ask(answer: Act) -> (Result<Option<CourseMembers>, ClientError>, Script) {
    let peer = Script::new([answer]);
    let upstream = peer.upstream("course", &UpstreamSettings::default());
    let courses = CourseClient::from(upstream.unwrap());
    let people: Vec<UserId> = [7, 8].map(|id| id.try_into().unwrap()).into();
    let found = courses.members_among(3.try_into().unwrap(), &people).await;
    (found, peer)
}

#[tokio::test]
async fn those_who_are_in_a_course_are_found_and_a_course_that_is_none_is_none() {
    let answer = json!({"status": "draft", "items": [8]});
    let (found, peer) = ask(Act::json(200, &answer)).await;
    let found = found.unwrap().unwrap();
    assert_eq!(found.status, CourseStatus::Draft);
    assert_eq!(found.items, [8.try_into().unwrap()]);
    let sent = peer.sent().remove(0);
    assert_eq!(sent.target, "/internal/courses/3/members/lookup");
    assert_eq!(ask(Act::status(404)).await.0, Ok(None));
    assert_eq!(
        ask(Act::status(403)).await.0.unwrap_err().refused_with(),
        Some(403)
    );
}

#[tokio::test]
async fn an_answer_about_somebody_else_is_none() {
    let answer = json!({"status": "published", "items": [9]});
    let somebody_else = ClientError::Malformed(Malformation::SomebodyElse);
    assert_eq!(ask(Act::json(200, &answer)).await.0, Err(somebody_else));
}
