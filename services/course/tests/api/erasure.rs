//! Whoever deletes an account is erased here too.

use futures_util::future::join_all;
use lyceum_contracts::course::EnrolledCourse;
use lyceum_contracts::notification::EventReceipt;
use lyceum_contracts::page::Page;
use lyceum_testing::http::Response;
use serde_json::{Value, json};

use crate::platform::{Person, Platform, event};

async fn told(platform: &Platform, events: &[Value]) -> Response {
    let request = platform.app.client().post("/internal/events");
    let request = request.bearer(platform.service_token());
    request.json(&json!({ "events": events })).send().await
}

async fn courses_of(platform: &Platform, person: &Person) -> usize {
    let path = format!("/users/{}/courses", person.id);
    let request = platform.app.client().get(&path);
    let answer = request.bearer(platform.service_token()).send().await;
    answer
        .expect(200)
        .json::<Page<EnrolledCourse>>()
        .items
        .len()
}

#[tokio::test]
async fn who_is_deleted_holds_no_place_any_more_and_others_keep_theirs() {
    let platform = Platform::start();
    let (ada, bob) = (platform.student(1), platform.student(2));
    let (logic, sets) = (
        platform.course(Some(1)).await.id,
        platform.course(None).await.id,
    );
    ada.enrols_in(logic).await.expect(201);
    ada.enrols_in(sets).await.expect(201);
    bob.enrols_in(sets).await.expect(201);
    bob.enrols_in(logic).await.expect(409);

    let deletion = event("user.deleted", 1);
    let receipt: EventReceipt = told(&platform, std::slice::from_ref(&deletion))
        .await
        .expect(200)
        .json();
    assert_eq!((receipt.accepted, receipt.duplicates), (1, 0));
    assert_eq!(courses_of(&platform, &ada).await, 0);
    assert_eq!(courses_of(&platform, &bob).await, 1);
    // Only now is there a place for Bob, and a repeat does not make a second one.
    let receipt: EventReceipt = told(&platform, &[deletion]).await.expect(200).json();
    assert_eq!((receipt.accepted, receipt.duplicates), (0, 1));
    bob.enrols_in(logic).await.expect(201);
    platform.student(3).enrols_in(logic).await.expect(409);
    assert_eq!(bob.sees(logic).await.enrolled, 1);
}

#[tokio::test]
async fn who_is_deleted_enrols_nowhere_with_a_token_that_is_still_good() {
    let platform = Platform::start();
    let ada = platform.student(1);
    let logic = platform.course(None).await.id;
    told(&platform, &[event("user.deleted", 1)])
        .await
        .expect(200);
    let problem = ada.enrols_in(logic).await.expect(403).problem();
    assert_eq!(
        problem.detail.as_deref(),
        Some("the account no longer exists")
    );
    assert_eq!(courses_of(&platform, &ada).await, 0);
}

#[tokio::test]
async fn enrolling_everywhere_while_being_deleted_leaves_nothing() {
    let platform = Platform::start();
    let ada = platform.student(1);
    let courses = join_all((0..8).map(|_| platform.course(Some(1)))).await;
    let deletion = [event("user.deleted", 1)];
    let enrolling = join_all(courses.iter().map(|course| ada.enrols_in(course.id)));
    let (answers, deleted) = tokio::join!(enrolling, told(&platform, &deletion));
    deleted.expect(200);
    for answer in answers {
        assert!(matches!(answer.status, 201 | 403), "{}", answer.text());
    }
    assert_eq!(courses_of(&platform, &ada).await, 0);
    let bob = platform.student(2);
    for course in courses {
        bob.enrols_in(course.id).await.expect(201);
    }
}

#[tokio::test]
async fn what_is_of_no_interest_here_is_taken_in_and_what_is_unknown_is_refused() {
    let platform = Platform::start();
    let ada = platform.student(1);
    let logic = platform.course(None).await.id;
    ada.enrols_in(logic).await.expect(201);
    let events = [event("user.updated", 1), event("user.registered", 1)];
    let receipt: EventReceipt = told(&platform, &events).await.expect(200).json();
    assert_eq!(receipt.accepted, 2);
    assert_eq!(courses_of(&platform, &ada).await, 1);
    let unknown = [event("user.deleted", 1), event("user.vanished", 1)];
    told(&platform, &unknown).await.expect(422).problem();
    assert_eq!(courses_of(&platform, &ada).await, 1);
}
