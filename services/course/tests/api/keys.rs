//! Courses and enrolments asked for again under an `Idempotency-Key`.

use futures_util::future::join_all;
use lyceum_contracts::course::{Course, Enrolment};
use lyceum_testing::http::Response;
use serde_json::json;

use crate::platform::{Person, Platform};

impl Person {
    async fn writes_under(&self, key: &str, title: &str) -> Response {
        let request = self.client.post("/courses").bearer(&self.token);
        let request = request.header("idempotency-key", key);
        request.json(&json!({"title": title})).send().await
    }

    async fn enrols_under(&self, key: &str, course: Course) -> Response {
        let path = format!("/courses/{}/enrolments", course.id);
        let request = self.client.post(&path).bearer(&self.token);
        request.header("idempotency-key", key).send().await
    }
}

fn replayed(answer: &Response) -> bool {
    answer.header("idempotent-replayed").is_some()
}

#[tokio::test]
async fn fifty_times_one_course_under_one_key_is_one_course() {
    let platform = Platform::start();
    let teacher = platform.instructor(1);
    let answers = join_all((0..50).map(|_| teacher.writes_under("k-1", "Logic"))).await;
    let first: Course = answers[0].json();
    for answer in &answers {
        assert_eq!(answer.status, 201);
        assert_eq!(answer.json::<Course>(), first);
        assert_eq!(answer.header("etag"), Some("\"v1\""));
        let location = format!("/courses/{}", first.id);
        assert_eq!(answer.header("location"), Some(location.as_str()));
    }
    let again = answers.iter().filter(|answer| replayed(answer));
    assert_eq!(again.count(), 49);
    let next: Course = teacher.writes_under("k-2", "Logic").await.json();
    assert_ne!(next.id, first.id, "another key is another course");
    teacher.writes_under("k-1", "Sets").await.expect(422);
}

#[tokio::test]
async fn an_answer_is_given_as_it_was_whatever_has_become_of_the_course() {
    let platform = Platform::start();
    let teacher = platform.instructor(1);
    let draft: Course = teacher.writes_under("k-1", "Logic").await.json();
    teacher.publishes(draft.id).await.expect(200);
    let again = teacher.writes_under("k-1", "Logic").await.expect(201);
    assert_eq!(again.json::<Course>(), draft);
}

#[tokio::test]
async fn a_late_repeat_does_not_take_back_a_place_that_was_given_up() {
    let platform = Platform::start();
    let course = platform.course(Some(1)).await;
    let ada = platform.student(1);
    let first = ada.enrols_under("k-1", course.clone()).await.expect(201);
    ada.drops(course.id).await.expect(204);
    let late = ada.enrols_under("k-1", course.clone()).await.expect(201);
    assert!(replayed(&late));
    assert_eq!(late.json::<Enrolment>(), first.json::<Enrolment>());
    assert_eq!(late.header("location"), first.header("location"));
    assert_eq!(ada.sees(course.id).await.enrolled, 0);
    let told = platform.deliver_pending().await.delivered;
    assert_eq!(told, 2, "the place and its end, each once");
}

#[tokio::test]
async fn having_a_place_already_is_an_answer_that_is_kept_too() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    let ada = platform.student(1);
    ada.gets_a_place_in(course.id).await;
    for again in [false, true] {
        let answer = ada.enrols_under("k-1", course.clone()).await.expect(200);
        assert_eq!(replayed(&answer), again);
    }
}

#[tokio::test]
async fn a_full_course_may_be_asked_again_under_the_same_key() {
    let platform = Platform::start();
    let course = platform.course(Some(1)).await;
    let (ada, bob) = (platform.student(1), platform.student(2));
    ada.gets_a_place_in(course.id).await;
    bob.enrols_under("k-1", course.clone()).await.expect(409);
    ada.drops(course.id).await.expect(204);
    let answer = bob.enrols_under("k-1", course.clone()).await.expect(201);
    assert!(!replayed(&answer));
    ada.enrols_under("k-1", course).await.expect(409);
}
