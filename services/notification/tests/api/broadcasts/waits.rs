//! Peers that are away, and admins who change their minds.

use lyceum_contracts::job::JobStatus;
use lyceum_testing::peer::{Answer, DownPeer, Gate};
use serde_json::json;

use super::town::{COURSE, ENROLLED, Town, all, course, enrols, one_each, users};
use crate::platform::{Person, Platform};

#[tokio::test]
async fn a_broadcast_waits_for_the_course_service_and_goes_on_when_it_is_up() {
    let down = DownPeer::hold();
    let platform = Platform::with_all(|settings| {
        settings.service.upstreams.course.base_url = down.url();
        // It is asked at once when it is up.
        let breaker = &mut settings.service.upstreams.course.breaker;
        (breaker.consecutive_failures, breaker.minimum_calls) = (255, 1_000);
        settings.service.broadcasts.run = true;
        settings.service.broadcasts.poll_ms = 20;
    });
    let admin = platform.holder_of(5_000, platform.tokens.admin(5_000));
    let path = admin.tells(&course(COURSE)).await;
    let waiting = admin
        .finds(&path, "put off", |broadcast| broadcast.error.is_some())
        .await;
    assert_eq!(waiting.status, JobStatus::Queued);
    assert_eq!(waiting.progress.total, None, "nobody could say");
    let error = waiting.error.unwrap();
    assert!(error.contains("course service"), "{error}");
    let courses = down.come_up();
    enrols(&courses, &[1, 2, 3]);
    let done = admin.finds_it_done(&path).await;
    assert_eq!((done.progress.told, done.error), (3, None));
}

#[tokio::test]
async fn a_user_service_that_fails_in_the_middle_is_waited_for_and_nobody_is_told_twice() {
    let people: Vec<i64> = (1..=300).collect();
    let town = Town::of(&people);
    let first: Vec<_> = (1..=200)
        .map(|id| json!({"id": id, "email": "a@b.c", "full_name": "A", "role": "student"}))
        .collect();
    let first = json!({"items": first, "next_after": 200});
    let walk = "GET /internal/users";
    town.users
        .on(walk)
        .then(Answer::json(200, &first))
        .always(Answer::status(500));
    let admin = town.admin();
    let path = admin.tells(&all()).await;
    let waiting = admin
        .finds(&path, "put off", |broadcast| broadcast.error.is_some())
        .await;
    assert_eq!(waiting.progress.told, 200);
    super::town::knows(&town.users, &people);
    let done = admin.finds_it_done(&path).await;
    assert_eq!(done.progress.told, 300);
    assert_eq!(town.inboxes().await, one_each(&people));
}

#[tokio::test]
async fn a_course_that_goes_away_before_anybody_is_told_fails_with_the_reason() {
    let town = Town::of(&[1]);
    let there = json!({"items": [1], "next_after": null, "total": 1});
    town.courses
        .on(ENROLLED)
        .then(Answer::json(200, &there))
        .always(Answer::status(404));
    let admin = town.admin();
    let path = admin.tells(&course(COURSE)).await;
    let failed = admin
        .finds(&path, "failed", |broadcast| {
            broadcast.status == JobStatus::Failed
        })
        .await;
    assert_eq!(failed.error.as_deref(), Some("there is no such course"));
    assert_eq!(failed.progress.told, 0);
    assert!(town.inboxes().await.is_empty());
    cancels(&admin, &path, 409).await;
}

async fn cancels(admin: &Person, path: &str, status: u16) {
    let request = admin.client.delete(path).bearer(&admin.token);
    request.send().await.expect(status);
}

#[tokio::test]
async fn a_broadcast_that_is_cancelled_tells_nobody_more() {
    let people: Vec<i64> = (1..=600).collect();
    let town = Town::of(&people);
    // The second page comes when the broadcast is cancelled.
    let gate = Gate::closed();
    let held = gate.clone();
    town.users
        .on("POST /internal/users/lookup")
        .always_with(move |asked| {
            let ids = asked.json::<lyceum_contracts::user::LookupUsers>().ids;
            let contact =
                |id| json!({"id": id, "email": "a@b.c", "full_name": "A", "role": "student"});
            let is_second = ids[0].get() > 200;
            let items: Vec<_> = ids.into_iter().map(contact).collect();
            let page = Answer::json(200, &json!({ "items": items }));
            if is_second { page.held_by(&held) } else { page }
        });
    let admin = town.admin();
    let path = admin.tells(&users(&people)).await;
    let half = admin
        .finds(&path, "in the middle", |broadcast| {
            broadcast.progress.told == 200
        })
        .await;
    assert!(!half.status.is_final());
    let asked = admin.get(&path).await;
    assert_eq!(asked.header("retry-after"), Some("1"));
    cancels(&admin, &path, 204).await;
    cancels(&admin, &path, 204).await;
    gate.open();
    // Another is told whole, by the same lane or the other.
    let other = admin.tells(&users(&[1])).await;
    admin.finds_it_done(&other).await;
    let cancelled = admin.broadcast(&path).await;
    assert_eq!(cancelled.status, JobStatus::Cancelled);
    assert_eq!(cancelled.progress.told, 200);
    let mut told = one_each(&people[..200]);
    told.insert(1, 2);
    assert_eq!(town.inboxes().await, told);
    cancels(&admin, &other, 409).await;
    cancels(&admin, "/broadcasts/999", 404).await;
}
