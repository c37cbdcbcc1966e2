//! What is refused, and what is asked for again.

use lyceum_contracts::broadcast::Broadcast;
use lyceum_contracts::ids::BroadcastId;
use serde_json::{Value, json};

use super::town::{COURSE, Town, all, course, news, one_each, users};
use crate::platform::Person;

#[tokio::test]
async fn what_cannot_be_told_is_refused_with_every_fault_named() {
    let town = Town::of(&[1]);
    let admin = town.admin();
    let with = |name: &str, value: Value| {
        let mut body = news(&all());
        body[name] = value;
        body
    };
    let too_many: Vec<i64> = (1..=1_001).collect();
    let table = [
        (json!({}), vec!["#/audience", "#/body", "#/title"]),
        (with("audience", json!("all")), vec!["#/audience"]),
        (with("audience", json!(null)), vec!["#/audience"]),
        (with("audience", json!({})), vec!["#/audience/kind"]),
        (
            with("audience", json!({"kind": "everyone"})),
            vec!["#/audience/kind"],
        ),
        (
            with("audience", json!({"kind": "all", "course_id": 7})),
            vec!["#/audience/course_id"],
        ),
        (
            with("audience", json!({"kind": "course"})),
            vec!["#/audience/course_id"],
        ),
        (with("audience", course(0)), vec!["#/audience/course_id"]),
        // There is none such.
        (with("audience", course(8)), vec!["#/audience/course_id"]),
        (with("audience", users(&[])), vec!["#/audience/user_ids"]),
        (
            with("audience", users(&[1, -1])),
            vec!["#/audience/user_ids"],
        ),
        (
            with("audience", users(&too_many)),
            vec!["#/audience/user_ids"],
        ),
        (
            with("audience", json!({"kind": "users", "user_ids": ["1"]})),
            vec!["#/audience/user_ids"],
        ),
        (with("title", json!(" ")), vec!["#/title"]),
        (with("title", json!("a\nb")), vec!["#/title"]),
        (with("title", json!("ü".repeat(201))), vec!["#/title"]),
        (with("body", json!("")), vec!["#/body"]),
        (with("body", json!("a\0b")), vec!["#/body"]),
        (with("body", json!("ü".repeat(5_001))), vec!["#/body"]),
        (with("link", json!("javascript:alert(1)")), vec!["#/link"]),
        (with("collapse_key", json!("a b")), vec!["#/collapse_key"]),
        (with("roles", json!(["student"])), vec!["#/roles"]),
    ];
    for (body, pointers) in table {
        let refused = admin.broadcasts(&body).await.expect(422).problem();
        let mut named: Vec<_> = refused.errors.iter().map(|fault| &*fault.pointer).collect();
        named.sort_unstable();
        assert_eq!(named, pointers, "{body}: {refused:?}");
    }
    assert!(town.inboxes().await.is_empty());
    let missing = admin.get("/broadcasts/1").await;
    missing.expect(404).problem();
}

#[tokio::test]
async fn a_thousand_people_may_be_listed() {
    let town = Town::of(&[1_000]);
    let admin = town.admin();
    let path = admin.tells(&users(&(1..=1_000).collect::<Vec<_>>())).await;
    let done = admin.finds_it_done(&path).await;
    assert_eq!((done.progress.told, done.progress.skipped), (1, 999));
}

async fn asks(admin: &Person, key: &str, body: &Value) -> lyceum_testing::http::Response {
    let request = admin.client.post("/broadcasts").bearer(&admin.token);
    let request = request.header("idempotency-key", key);
    request.json(body).send().await
}

#[tokio::test]
async fn a_request_that_is_sent_again_under_its_key_tells_nobody_again() {
    let town = Town::of(&[1, 2]);
    let admin = town.admin();
    let body = news(&course(COURSE));
    let first = asks(&admin, "one", &body).await.expect(202);
    let path = first.header("location").unwrap().to_owned();
    admin.finds_it_done(&path).await;
    // Whatever has become of the course since.
    town.courses
        .on(super::town::ENROLLED)
        .always(lyceum_testing::peer::Answer::status(404));
    let again = asks(&admin, "one", &body).await.expect(202);
    assert_eq!(again.header("location"), Some(&*path));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let ids: [BroadcastId; 2] = [first, again].map(|answer| answer.json::<Broadcast>().id);
    assert_eq!(ids[0], ids[1]);
    assert_eq!(town.inboxes().await, one_each(&[1, 2]));
    let other = asks(&admin, "one", &news(&all())).await.expect(422);
    assert_eq!(other.problem().r#type, "/problems/idempotency-key-reused");
}
