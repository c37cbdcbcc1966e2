//! Accounts asked for again under an `Idempotency-Key`.

use futures_util::future::join_all;
use lyceum_contracts::user::User;
use lyceum_testing::http::Response;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::platform::{PASSWORD, Platform, registration};

impl Platform {
    async fn registers_under(&self, key: &str, body: &Value) -> Response {
        let request = self.client().post("/users").header("idempotency-key", key);
        request.json(body).send().await
    }
}

fn replayed(answer: &Response) -> bool {
    answer.header("idempotent-replayed").is_some()
}

#[tokio::test]
async fn fifty_registrations_under_one_key_open_one_account_and_are_all_answered_with_it() {
    let platform = Platform::start();
    let ada = registration("ada@example.org");
    let answers = join_all((0..50).map(|_| platform.registers_under("k-1", &ada))).await;
    let first: User = answers[0].json();
    for answer in &answers {
        assert_eq!(answer.status, 201);
        assert_eq!(answer.json::<User>(), first);
        assert_eq!(answer.header("etag"), Some("\"v1\""));
        let location = format!("/users/{}", first.id);
        assert_eq!(answer.header("location"), Some(location.as_str()));
    }
    assert_eq!(answers.iter().filter(|answer| replayed(answer)).count(), 49);
    platform.registers_with(&ada).await.expect(409);
}

#[tokio::test]
async fn an_account_is_promised_to_be_told_of_once() {
    let platform = Platform::with(|settings| settings.service.admin.email.clear());
    let ada = registration("ada@example.org");
    for _ in 0..2 {
        platform.registers_under("k-1", &ada).await.expect(201);
    }
    assert_eq!(platform.deliver_pending().await.delivered, 1);
}

#[tokio::test]
async fn a_key_of_another_registration_is_refused() {
    let platform = Platform::start();
    let ada = registration("ada@example.org");
    platform.registers_under("k-1", &ada).await.expect(201);
    let bob = registration("bob@example.org");
    let problem = platform.registers_under("k-1", &bob).await.expect(422);
    assert_eq!(problem.problem().r#type, "/problems/idempotency-key-reused");
    platform.registers_under("k-2", &bob).await.expect(201);
}

#[tokio::test]
async fn an_address_that_is_taken_is_refused_again_under_the_same_key() {
    let platform = Platform::start();
    let ada = registration("ada@example.org");
    platform.registers_with(&ada).await.expect(201);
    for _ in 0..2 {
        platform.registers_under("k-1", &ada).await.expect(409);
    }
}

#[tokio::test]
async fn no_password_is_kept_or_compared_under_a_key() {
    let platform = Platform::start();
    let ada = registration("ada@example.org");
    platform.registers_under("k-1", &ada).await.expect(201);
    let mut other = ada.clone();
    other["password"] = json!("a completely different one");
    assert!(replayed(
        &platform.registers_under("k-1", &other).await.expect(201)
    ));
    platform
        .logs_in("ada@example.org", PASSWORD)
        .await
        .expect(200);

    let database = platform.app.database().connect().await;
    let sql = "SELECT fingerprint || body FROM idempotency_keys";
    let query = Statement::from_string(database.get_database_backend(), sql);
    let rows = database.query_all_raw(query).await.unwrap();
    let [row] = &rows[..] else {
        panic!("one key: a registration without one leaves none");
    };
    let kept: String = row.try_get_by_index(0).unwrap();
    assert!(kept.contains("ada@example.org"), "{kept}");
    assert!(
        !kept.contains("password") && !kept.contains("argon2"),
        "{kept}"
    );
}

#[tokio::test]
async fn a_sign_in_is_not_kept_under_a_key() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let sign_in = || {
        let request = platform.client().post("/auth/login");
        let request = request.header("idempotency-key", "k-1");
        request.json(&json!({"email": ada.email, "password": PASSWORD}))
    };
    let (first, second) = (sign_in().send().await, sign_in().send().await);
    assert!(!replayed(&second));
    assert_ne!(first.expect(200).text(), second.expect(200).text());
}
