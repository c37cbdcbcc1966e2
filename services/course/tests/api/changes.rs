//! Changing what a course says of itself, deleting a draft, and telling of both.

use lyceum_contracts::course::Course;
use lyceum_contracts::event::Event;
use lyceum_contracts::ids::CourseId;
use lyceum_contracts::notification::EventBatch;
use lyceum_testing::http::Response;
use lyceum_testing::peer::Received;
use serde_json::{Value, json};

use crate::platform::{Person, Platform};

impl Person {
    async fn changes(&self, course: CourseId, seen: &str, patch: &Value) -> Response {
        let path = format!("/courses/{course}");
        let request = self.client.request("PATCH".parse().unwrap(), &path);
        let request = request.bearer(&self.token).header("if-match", seen);
        request.json(patch).send().await
    }

    async fn deletes(&self, course: CourseId) -> Response {
        let path = format!("/courses/{course}");
        self.client.delete(&path).bearer(&self.token).send().await
    }
}

impl Platform {
    /// What has been told since the start.
    async fn told(&self) -> Vec<Event> {
        let delivered = self.deliver_pending().await.delivered;
        let batches = self.notifications.requests();
        let batches: Vec<EventBatch> = batches.iter().map(Received::json).collect();
        let envelopes = batches.into_iter().flat_map(|batch| batch.events);
        let told: Vec<Event> = envelopes.map(|envelope| envelope.event).collect();
        assert_eq!(told.len(), delivered);
        told
    }
}

#[tokio::test]
async fn a_change_makes_a_new_version_and_is_told_with_it() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    let teacher = platform.instructor(900);
    let patch = json!({"title": "Sets", "description": "From nothing."});
    let answer = teacher
        .changes(course.id, "\"v2\"", &patch)
        .await
        .expect(200);
    assert_eq!(answer.header("etag"), Some("\"v3\""));
    let changed: Course = answer.json();
    assert_eq!((changed.title.as_str(), changed.version), ("Sets", 3));
    assert_eq!(changed.description, "From nothing.");
    assert_eq!(platform.student(1).sees(course.id).await, changed);
    // The same again changes nothing, and nothing is told.
    let again = teacher
        .changes(course.id, "\"v3\"", &patch)
        .await
        .expect(200);
    assert_eq!(again.json::<Course>(), changed);
    let told = Event::CourseUpdated {
        course_id: course.id,
        course_title: "Sets".to_owned(),
        version: 3,
    };
    assert_eq!(platform.told().await, [told]);
}

#[tokio::test]
async fn a_change_of_what_has_changed_meanwhile_is_refused() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    let teacher = platform.instructor(900);
    let patch = json!({"title": "Sets"});
    let stale = teacher.changes(course.id, "\"v1\"", &patch).await;
    stale.expect(412).problem();
    let path = format!("/courses/{}", course.id);
    let blind = teacher.client.request("PATCH".parse().unwrap(), &path);
    let blind = blind.bearer(&teacher.token).json(&patch).send().await;
    blind.expect(428).problem();
    assert_eq!(teacher.sees(course.id).await, course);
    assert_eq!(platform.told().await, []);
}

#[tokio::test]
async fn a_change_that_cannot_be_is_named_and_nobody_changes_the_course_of_another() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    let teacher = platform.instructor(900);
    let patch = json!({"title": "", "description": null, "capacity": 3});
    let refused = teacher.changes(course.id, "*", &patch).await.expect(422);
    let mut pointers: Vec<_> = refused
        .problem()
        .errors
        .into_iter()
        .map(|fault| fault.pointer)
        .collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["#/capacity", "#/description", "#/title"]);

    let draft = teacher.writes("Draft", None).await;
    let (other, patch) = (platform.instructor(2), json!({"title": "Mine"}));
    other
        .changes(course.id, "*", &patch)
        .await
        .expect(403)
        .problem();
    other
        .changes(draft.id, "*", &patch)
        .await
        .expect(404)
        .problem();
    other.deletes(course.id).await.expect(403).problem();
    other.deletes(draft.id).await.expect(404).problem();
    assert_eq!(teacher.sees(course.id).await, course);
    assert_eq!(teacher.sees(draft.id).await, draft);
}

#[tokio::test]
async fn a_draft_is_deleted_and_told_of_and_a_published_course_stays() {
    let platform = Platform::start();
    let teacher = platform.instructor(900);
    let course = platform.course(None).await;
    let draft = teacher.writes("Sets", None).await;
    teacher.deletes(course.id).await.expect(409).problem();
    teacher.deletes(draft.id).await.expect(204);
    teacher.deletes(draft.id).await.expect(404);
    teacher
        .get(&format!("/courses/{}", draft.id))
        .await
        .expect(404);
    assert_eq!(teacher.sees(course.id).await, course);
    let told = Event::CourseDeleted {
        course_id: draft.id,
    };
    assert_eq!(platform.told().await, [told]);
}
