//! Who of some people is in a course, for another service that asks.

use lyceum_contracts::course::{CourseMembers, CourseStatus};
use lyceum_contracts::ids::CourseId;
use lyceum_testing::http::Response;
use serde_json::{Value, json};

use crate::platform::Platform;

async fn asks(platform: &Platform, course: CourseId, ids: &Value) -> Response {
    let path = format!("/internal/courses/{course}/members/lookup");
    let request = platform.app.client().post(&path);
    let request = request.bearer(platform.service_token());
    request.json(&json!({ "ids": ids })).send().await
}

async fn members(platform: &Platform, course: CourseId, ids: &[i64]) -> (CourseStatus, Vec<i64>) {
    let answer = asks(platform, course, &json!(ids)).await.expect(200);
    let members: CourseMembers = answer.json();
    let items = members.items.iter().map(|person| person.get()).collect();
    (members.status, items)
}

#[tokio::test]
async fn who_holds_a_place_or_teaches_is_in_a_course_and_nobody_else() {
    let platform = Platform::start();
    let (course, other) = (
        platform.course(None).await.id,
        platform.course(None).await.id,
    );
    for id in [5, 3, 9] {
        platform.student(id).gets_a_place_in(course).await;
    }
    platform.student(4).gets_a_place_in(other).await;
    platform.student(9).drops(course).await.expect(204);
    let found = members(&platform, course, &[900, 9, 5, 4, 3, 1, 5]).await;
    assert_eq!(found, (CourseStatus::Published, vec![3, 5, 900]));
    assert_eq!(members(&platform, course, &[9]).await.1, [0; 0]);
    // A teacher who also enrols is there once, and one who comes back is there again.
    platform.instructor(900).gets_a_place_in(course).await;
    platform.student(9).gets_a_place_in(course).await;
    assert_eq!(members(&platform, course, &[900, 9]).await.1, [9, 900]);
    let draft = platform.instructor(7).writes("Sets", None).await.id;
    let found = members(&platform, draft, &[7, 3]).await;
    assert_eq!(found, (CourseStatus::Draft, vec![7]));
}

#[tokio::test]
async fn a_course_that_is_none_is_not_found_and_a_question_that_cannot_be_is_refused() {
    let platform = Platform::start();
    let course = platform.course(None).await.id;
    let nowhere = 999_999.try_into().unwrap();
    asks(&platform, nowhere, &json!([1]))
        .await
        .expect(404)
        .problem();
    let many: Vec<i64> = (1..=200).collect();
    assert_eq!(members(&platform, course, &many).await.1, [0; 0]);
    let too_many: Vec<i64> = (1..=201).collect();
    for ids in [
        json!([]),
        json!(too_many),
        json!([0]),
        json!(["x"]),
        json!(7),
        json!(null),
    ] {
        let refused = asks(&platform, course, &ids).await.expect(422).problem();
        assert_eq!(refused.errors[0].pointer, "#/ids", "{ids}");
    }
}
