//! Writing, publishing and reading courses.

use lyceum_contracts::course::{Course, CourseStatus};
use serde_json::{Value, json};

use crate::platform::Platform;

#[tokio::test]
async fn an_instructor_writes_a_draft_and_publishes_it() {
    let platform = Platform::start();
    let teacher = platform.instructor(1);
    let body = json!({"title": "Logic", "description": "Two\nlines", "capacity": 30});
    let answer = teacher.post_json("/courses", &body).await.expect(201);
    let draft: Course = answer.json();
    assert_eq!(
        answer.header("location"),
        Some(format!("/courses/{}", draft.id).as_str())
    );
    assert_eq!(answer.header("etag"), Some("\"v1\""));
    assert_eq!(
        (draft.status, draft.published_at),
        (CourseStatus::Draft, None)
    );
    assert_eq!(
        (draft.title.as_str(), draft.description.as_str()),
        ("Logic", "Two\nlines")
    );
    assert_eq!((draft.capacity, draft.enrolled), (Some(30), 0));
    assert_eq!(draft.instructor_id, teacher.id);

    let answer = teacher.publishes(draft.id).await.expect(200);
    assert_eq!(answer.header("etag"), Some("\"v2\""));
    let course: Course = answer.json();
    assert_eq!(
        (course.status, course.version),
        (CourseStatus::Published, 2)
    );
    assert!(course.published_at.is_some());
    let read = platform
        .student(2)
        .get(&format!("/courses/{}", course.id))
        .await
        .expect(200);
    assert_eq!(read.header("etag"), Some("\"v2\""));
    assert_eq!(
        read.json::<Course>(),
        course,
        "times included, to the microsecond"
    );
}

#[tokio::test]
async fn publishing_twice_answers_the_same() {
    let platform = Platform::start();
    let teacher = platform.instructor(1);
    let draft = teacher.writes("Logic", None).await;
    let first: Course = teacher.publishes(draft.id).await.expect(200).json();
    let again: Course = teacher.publishes(draft.id).await.expect(200).json();
    let by_admin: Course = platform
        .admin(3)
        .publishes(draft.id)
        .await
        .expect(200)
        .json();
    assert_eq!((&again, &by_admin), (&first, &first));
}

#[tokio::test]
async fn a_draft_looks_like_nothing_to_everybody_but_its_instructor_and_admins() {
    let platform = Platform::start();
    let teacher = platform.instructor(1);
    let draft = teacher.writes("Logic", None).await;
    let path = format!("/courses/{}", draft.id);
    for stranger in [platform.student(2), platform.instructor(2)] {
        let hidden = stranger.get(&path).await.expect(404).problem();
        let missing = stranger.get("/courses/999999").await.expect(404).problem();
        assert_eq!(
            (hidden.r#type, hidden.title),
            (missing.r#type, missing.title)
        );
    }
    platform.instructor(2).publishes(draft.id).await.expect(404);
    assert_eq!(teacher.sees(draft.id).await, draft);
    assert_eq!(platform.admin(3).sees(draft.id).await, draft);
    platform.admin(3).publishes(draft.id).await.expect(200);
}

#[tokio::test]
async fn nobody_publishes_for_another_instructor() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    let answer = platform
        .instructor(2)
        .publishes(course.id)
        .await
        .expect(403);
    assert_eq!(answer.problem().r#type, "/problems/forbidden");
    let on_record = platform.log_of(&answer);
    assert!(on_record.contains("auth.forbidden"), "{on_record}");
    platform.student(3).publishes(course.id).await.expect(403);
    assert_eq!(platform.student(3).sees(course.id).await, course);
}

#[tokio::test]
async fn students_do_not_write_courses() {
    let platform = Platform::start();
    let body = json!({"title": "Logic"});
    platform
        .student(1)
        .post_json("/courses", &body)
        .await
        .expect(403);
    platform
        .admin(1)
        .post_json("/courses", &body)
        .await
        .expect(201);
}

#[tokio::test]
async fn all_faults_of_a_course_are_named_in_one_answer() {
    let platform = Platform::start();
    let teacher = platform.instructor(1);
    let body = json!({"title": "", "description": "a\u{0}b", "capacity": 0, "instructor_id": 7, "status": "published"});
    let problem = teacher
        .post_json("/courses", &body)
        .await
        .expect(422)
        .problem();
    let mut faults: Vec<_> = problem
        .errors
        .iter()
        .map(|fault| (fault.pointer.as_str(), fault.code.as_str()))
        .collect();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            ("#/capacity", "out_of_range"),
            ("#/description", "control_character"),
            ("#/instructor_id", "unknown_field"),
            ("#/status", "unknown_field"),
            ("#/title", "empty"),
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_a_course_is_refused_and_leaves_nothing() {
    let platform = Platform::start();
    let teacher = platform.instructor(1);
    for (body, pointer) in [
        (json!({}), "#/title"),
        (json!({"title": null}), "#/title"),
        (json!({"title": 7}), "#/title"),
        (json!({"title": "é".repeat(201)}), "#/title"),
        (json!({"title": "two\nlines"}), "#/title"),
        (
            json!({"title": "L", "description": "é".repeat(10_001)}),
            "#/description",
        ),
        (json!({"title": "L", "capacity": -1}), "#/capacity"),
        (json!({"title": "L", "capacity": 100_001}), "#/capacity"),
        (json!({"title": "L", "capacity": 1.5}), "#/capacity"),
        (json!({"title": "L", "capacity": "12"}), "#/capacity"),
        (
            json!({"title": "L", "capacity": 9_223_372_036_854_775_808_u64}),
            "#/capacity",
        ),
        (json!({"title": "L", "id": 1}), "#/id"),
        (
            json!({"title": "L", "created_at": "2026-01-02T03:04:05Z"}),
            "#/created_at",
        ),
        (json!(["L"]), "#"),
    ] {
        let problem = teacher
            .post_json("/courses", &body)
            .await
            .expect(422)
            .problem();
        let pointers: Vec<_> = problem
            .errors
            .iter()
            .map(|fault| fault.pointer.as_str())
            .collect();
        assert_eq!(pointers, [pointer], "{body}");
    }
    let stats: Value = teacher.get("/users/1/stats").await.expect(200).json();
    assert_eq!(stats["teaching"], 0);
}

#[tokio::test]
async fn a_text_is_kept_as_it_was_sent() {
    let platform = Platform::start();
    let teacher = platform.instructor(1);
    // The same name composed and decomposed, markup, SQL and a script: text, nothing more.
    for title in [
        "Caf\u{e9}",
        "Cafe\u{301}",
        "<b>'); DROP TABLE courses;--",
        "{{constructor}} %_\\",
        &"🎓".repeat(200),
    ] {
        let written = teacher.writes(title, Some(100_000)).await;
        assert_eq!(teacher.sees(written.id).await.title, title);
    }
}
