//! Signing in, going on, signing out.

use lyceum_contracts::user::Session;
use lyceum_testing::http::Response;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::platform::{PASSWORD, Platform};

pub(crate) fn session(answer: Response) -> Session {
    answer.expect(200).json()
}

pub(crate) fn ended(answer: Response) {
    let answer = answer.expect(401);
    assert_eq!(answer.problem().r#type, "/problems/session-ended");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn a_login_answers_with_a_token_that_opens_what_is_the_persons() {
    let platform = Platform::start();
    platform.registers("Ada@example.org").await.expect(201);
    let answer = platform
        .logs_in(" aDA@EXAMPLE.org", PASSWORD)
        .await
        .expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let session: Session = answer.json();
    assert_eq!(
        (session.token_type.as_str(), session.expires_in),
        ("Bearer", 900)
    );
    let me = platform
        .client()
        .get("/users/me")
        .bearer(&session.access_token)
        .send()
        .await;
    assert_eq!(me.expect(200).json::<Value>()["email"], "Ada@example.org");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let platform = Platform::start();
    platform.registers("ada@example.org").await.expect(201);
    let mut seen = Vec::new();
    for (email, password) in [
        ("ada@example.org", "wrong horse battery staple"),
        ("ada@example.org", ""),
        ("bob@example.org", PASSWORD),
        ("not an address", PASSWORD),
        ("", ""),
        ("a@b.c\0", PASSWORD),
    ] {
        let answer = platform.logs_in(email, password).await.expect(401);
        let mut problem = answer.problem();
        assert_eq!(problem.r#type, "/problems/invalid-credentials");
        problem.trace_id = None;
        let mut headers: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        seen.push((problem, headers));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[tokio::test]
async fn a_body_that_is_no_login_says_so() {
    let platform = Platform::start();
    for body in [
        json!({"email": "a@b.c"}),
        json!({"email": 1, "password": "x"}),
        json!({"email": "a@b.c", "password": "x", "remember": true}),
    ] {
        platform
            .client()
            .post("/auth/login")
            .json(&body)
            .send()
            .await
            .expect(422)
            .problem();
    }
}

#[tokio::test]
async fn a_session_goes_on_with_the_next_token_each_time() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let mut tokens = vec![ada.refresh_token.clone()];
    for _ in 0..5 {
        let next = session(platform.refreshes(tokens.last().unwrap()).await);
        let me = platform
            .client()
            .get("/users/me")
            .bearer(&next.access_token)
            .send()
            .await;
        assert_eq!(me.expect(200).json::<Value>()["id"], json!(ada.id));
        assert!(!tokens.contains(&next.refresh_token));
        tokens.push(next.refresh_token);
    }
}

#[tokio::test]
async fn a_token_nobody_issued_is_no_session() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    for token in ["", "abc", "\0", &ada.token, &"x".repeat(10_000)] {
        ended(platform.refreshes(token).await);
        platform.logs_out(token).await.expect(204);
    }
    session(platform.refreshes(&ada.refresh_token).await);
}

#[tokio::test]
async fn signing_out_ends_the_session_however_often_and_no_other() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let elsewhere = session(platform.logs_in(&ada.email, PASSWORD).await);
    let next = session(platform.refreshes(&ada.refresh_token).await);
    for _ in 0..2 {
        let answer = platform.logs_out(&next.refresh_token).await.expect(204);
        assert!(answer.body.is_empty());
    }
    ended(platform.refreshes(&next.refresh_token).await);
    session(platform.refreshes(&elsewhere.refresh_token).await);
}

#[tokio::test]
async fn a_spent_token_signs_out_too() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let next = session(platform.refreshes(&ada.refresh_token).await);
    platform.logs_out(&ada.refresh_token).await.expect(204);
    ended(platform.refreshes(&next.refresh_token).await);
}

#[tokio::test]
async fn no_token_is_in_the_database() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let database = platform.app.database().connect().await;
    let delete = format!(
        "DELETE FROM refresh_tokens WHERE digest = '{}'",
        ada.refresh_token
    );
    assert_eq!(
        database
            .execute_unprepared(&delete)
            .await
            .unwrap()
            .rows_affected(),
        0
    );
    let all = database
        .execute_unprepared("DELETE FROM refresh_tokens")
        .await
        .unwrap();
    assert_eq!(all.rows_affected(), 1);
}

#[tokio::test]
async fn the_public_keys_may_be_kept_and_hold_nothing_private() {
    let platform = Platform::start();
    let answer = platform
        .client()
        .get("/.well-known/jwks.json")
        .send()
        .await
        .expect(200);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let keys: Value = answer.json();
    let key = keys["keys"][0].as_object().unwrap();
    assert_eq!(
        (key["kty"].as_str(), key["crv"].as_str()),
        (Some("OKP"), Some("Ed25519"))
    );
    assert_eq!(
        (key["alg"].as_str(), key["use"].as_str()),
        (Some("EdDSA"), Some("sig"))
    );
    assert!(!key.contains_key("d"));
}
