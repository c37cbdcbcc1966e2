//! What services may ask about people.

use lyceum_contracts::user::{Contact, Contacts, MAX_LOOKUP};
use lyceum_testing::http::Response;
use serde_json::{Value, json};

use crate::platform::Platform;

async fn look_up(platform: &Platform, ids: Value) -> Response {
    let request = platform.client().post("/internal/users/lookup");
    let request = request.bearer(platform.app.token_of("course"));
    request.json(&json!({"ids": ids})).send().await
}

#[tokio::test]
async fn a_service_learns_how_to_reach_people() {
    let platform = Platform::start();
    let (ada, bob) = (platform.student("ada").await, platform.student("bob").await);
    let answer = look_up(&platform, json!([bob.id, 999_999, ada.id, bob.id]))
        .await
        .expect(200);
    let found: Contacts = answer.json();
    let reached: Vec<_> = found
        .items
        .iter()
        .map(|contact| (contact.id, &contact.email))
        .collect();
    assert_eq!(reached, [(ada.id, &ada.email), (bob.id, &bob.email)]);
    let Contact { full_name, .. } = &found.items[0];
    assert_eq!(full_name, "Ada Lovelace");
    assert!(!answer.text().contains("argon2"));
}

#[tokio::test]
async fn two_hundred_are_looked_up_with_one_query() {
    let platform = Platform::start();
    let ids: Vec<usize> = (1..=MAX_LOOKUP).collect();
    let answer = look_up(&platform, json!(ids)).await.expect(200);
    assert_eq!(answer.json::<Contacts>().items.len(), 1, "the first admin");
    let trace = answer.header("x-trace-id").unwrap();
    let spans = platform.app.captured().spans_of(trace);
    let statements = spans
        .iter()
        .filter(|span| span.name.starts_with("SELECT"))
        .count();
    assert_eq!(statements, 1, "{spans:?}");
}

#[tokio::test]
async fn a_list_of_ids_that_is_none_is_refused() {
    let platform = Platform::start();
    let too_many: Vec<usize> = (1..=MAX_LOOKUP + 1).collect();
    for ids in [
        json!([]),
        json!(too_many),
        json!([0]),
        json!(["1"]),
        json!([1.5]),
        json!(7),
        json!(null),
    ] {
        let problem = look_up(&platform, ids.clone()).await.expect(422).problem();
        assert_eq!(problem.errors[0].pointer, "#/ids", "{ids}");
    }
}

#[tokio::test]
async fn nobody_but_a_service_of_ours_may_look_up() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let ask = async |token: &str| {
        let request = platform
            .client()
            .post("/internal/users/lookup")
            .bearer(token);
        request.json(&json!({"ids": [1]})).send().await.status
    };
    assert_eq!(ask(&admin.token).await, 403);
    let secret = "another-secret-that-nobody-shares-with-us";
    assert_eq!(
        ask(&lyceum_testing::identity::service_token(
            "course", "user", secret
        ))
        .await,
        401
    );
    assert_eq!(ask("abc").await, 401);
}
