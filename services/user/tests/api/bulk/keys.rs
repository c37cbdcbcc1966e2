//! A request that is sent again under its key.

use futures_util::future::join_all;
use lyceum_testing::http::Response;
use serde_json::json;

use super::{BULK, Office, created, invitees, member};

fn replayed(answer: &Response) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

#[tokio::test]
async fn without_a_key_it_is_400_and_says_what_is_missing() {
    let office = Office::open().await;
    let body = json!({ "items": invitees(0..2) });
    let request = office
        .platform
        .client()
        .post(BULK)
        .bearer(&office.admin.token);
    let problem = request.json(&body).send().await.expect(400).problem();
    assert!(
        problem
            .detail
            .unwrap()
            .starts_with("Idempotency-Key is missing")
    );
    for key in ["", &"k".repeat(256), "\"open", "a\tb"] {
        let problem = office.sends(key, &body).await.expect(400).problem();
        assert!(problem.detail.unwrap().contains("Idempotency-Key"), "{key}");
    }
    let twice = office.request("k").header("idempotency-key", "l");
    twice.json(&body).send().await.expect(400).problem();
    assert_eq!(office.accounts().await, 0);
    office.sends(&"k".repeat(255), &body).await.expect(201);
}

#[tokio::test]
async fn the_same_again_is_answered_as_before_and_hashes_nothing() {
    let office = Office::open().await;
    let items = [
        member("ada", "correct horse battery staple"),
        invitees(0..1).remove(0),
    ];
    let first = office.creates("k", &items).await.expect(201);
    assert!(!replayed(&first));
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = office.request("\"k\"").json(&json!({ "items": items }));
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let again = request.send().await.expect(201);
    assert!(replayed(&again));
    assert_eq!(again.text(), first.text());
    let spans = office
        .platform
        .app
        .captured()
        .wait_for_spans(trace, 2)
        .await;
    assert!(
        spans.iter().all(|span| span.name != "password.hash"),
        "{spans:?}"
    );
    assert_eq!(office.accounts().await, 2);
    assert_eq!(office.count("mailed_links").await, 1);
    // What is written down is who asked, and never the password.
    let other = [member("ada", "quite another password"), items[1].clone()];
    assert!(replayed(&office.creates("k", &other).await.expect(201)));
}

#[tokio::test]
async fn the_same_key_for_another_request_is_422() {
    let office = Office::open().await;
    office.creates("k", &invitees(0..2)).await.expect(201);
    let mut renamed = invitees(0..2);
    renamed[1]["full_name"] = json!("Another");
    let mut instructor = invitees(0..2);
    instructor[0]["role"] = json!("instructor");
    let mut with_password = invitees(0..2);
    with_password[0]["password"] = json!("correct horse battery staple");
    let mut turned = invitees(0..2);
    turned.reverse();
    for items in [invitees(0..3), renamed, instructor, with_password, turned] {
        let problem = office.creates("k", &items).await.expect(422).problem();
        assert_eq!(problem.r#type, "/problems/idempotency-key-reused");
    }
    office.tries("k", &invitees(0..2)).await.expect(422);
    assert_eq!(office.accounts().await, 2);
}

#[tokio::test]
async fn while_it_is_under_way_the_same_again_waits_and_has_no_effect() {
    let office = Office::open().await;
    let items = invitees(0..100);
    let all = join_all((0..6).map(|_| office.creates("k", &items))).await;
    let users = created(&all[0]);
    for answer in &all {
        assert_eq!(answer.status, 201);
        assert_eq!(created(answer), users);
    }
    assert_eq!(all.iter().filter(|answer| replayed(answer)).count(), 5);
    assert_eq!(office.accounts().await, 100);
}

#[tokio::test]
async fn admins_do_not_share_their_keys() {
    let office = Office::open().await;
    let second = office.platform.student("second").await;
    let promotion = json!({"role": "admin"});
    office
        .admin
        .patches(second.id, &promotion)
        .await
        .expect(200);
    let session = office
        .platform
        .logs_in(&second.email, crate::platform::PASSWORD)
        .await;
    let session: lyceum_contracts::user::Session = session.expect(200).json();
    let body = json!({"mode": "partial", "items": invitees(0..2)});
    office.sends("k", &body).await.expect(207);
    let request = office
        .platform
        .client()
        .post(BULK)
        .bearer(&session.access_token);
    let answer = request
        .header("idempotency-key", "k")
        .json(&body)
        .send()
        .await;
    assert!(!replayed(&answer.expect(207)));
}
