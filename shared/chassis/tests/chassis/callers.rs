//! Who may pass which door.

use std::time::{Duration, Instant, SystemTime};

use lyceum_contracts::role::Role;
use lyceum_testing::forgeries::{
    assert_counted_to_the_second, assert_none_in_a_query, assert_refused_alike,
};
use lyceum_testing::{TestApp, spawn};
use serde_json::json;

use crate::bakery::{Bakery, open, users};

#[tokio::test]
async fn people_and_services_pass_their_own_doors_only() {
    let bakery = open();
    let (student, instructor) = (users().student(7), users().instructor(8));
    let service = bakery.token_of("course");
    for (path, token, status) in [
        ("/me", &student, 200),
        ("/me", &service, 401),
        ("/anybody", &student, 200),
        ("/anybody", &service, 200),
        ("/internal/flour", &service, 200),
        ("/internal/flour", &student, 403),
        ("/kitchen", &instructor, 204),
        ("/kitchen", &student, 403),
        ("/kitchen", &service, 401),
    ] {
        let answer = bakery.client().get(path).bearer(token).send().await;
        assert_eq!(answer.status, status, "{path}");
    }
}

#[tokio::test]
async fn without_a_token_every_door_asks_for_one() {
    let bakery = open();
    for path in ["/me", "/anybody", "/internal/flour", "/kitchen"] {
        let answer = bakery.client().get(path).send().await.expect(401);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{path}");
        assert_eq!(answer.problem().r#type, "/problems/unauthenticated");
    }
    assert_none_in_a_query(&bakery, "/me", &users().student(1)).await;
}

#[tokio::test]
async fn tokens_that_do_not_count_are_refused_all_alike() {
    let bakery = open();
    assert_refused_alike(bakery.client(), "/me", users(), 7, &[]).await;
}

/// What `/me` answers to this token.
async fn status(bakery: &TestApp, token: &str) -> u16 {
    bakery.client().get("/me").bearer(token).send().await.status
}

/// How many access tokens were known from before, and how many were verified.
async fn lookups(bakery: &TestApp) -> [u64; 2] {
    let metrics = bakery.operations().get("/metrics").send().await.text();
    ["hit", "miss"].map(|result| {
        let label = format!("result=\"{result}\"");
        let mut lines = metrics.lines();
        let line = lines
            .find(|line| line.starts_with("lyceum_auth_verified_tokens") && line.contains(&label));
        let count = line.and_then(|line| line.rsplit(' ').next());
        count.map_or(0, |count| count.parse().unwrap())
    })
}

#[tokio::test]
async fn whoever_comes_again_is_remembered_and_nobody_else_passes_for_them() {
    let bakery = open();
    let token = users().student(7);
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = rest.split_once('.').unwrap();
    let others = users().admin(7);
    let (others, others_signature) = others.rsplit_once('.').unwrap();
    for _ in 0..3 {
        assert_eq!(status(&bakery, &token).await, 200);
        for forged in [
            format!("{rest}.{others_signature}"),
            format!("{others}.{signature}"),
            format!("{header}.{claims}."),
            format!("{token}A"),
            rest.to_owned(),
        ] {
            assert_eq!(status(&bakery, &forged).await, 401, "{forged}");
        }
    }
    assert_eq!(lookups(&bakery).await, [2, 1]);
}

#[tokio::test]
async fn nobody_is_remembered_where_nobody_is_to_be() {
    let bakery = spawn::<Bakery>(|settings| settings.platform.auth.verified_tokens = 0);
    let token = users().student(7);
    for _ in 0..3 {
        assert_eq!(status(&bakery, &token).await, 200);
    }
    assert_eq!(lookups(&bakery).await, [0, 3]);
}

#[tokio::test]
async fn a_remembered_token_ends_at_its_end() {
    let bakery = open();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    // A second or two before clocks that differ by half a minute are no excuse any more.
    let token = users().token(7, Role::Student).claim("exp", now - 28);
    let token = token.sign();
    assert_eq!(status(&bakery, &token).await, 200);
    assert_eq!(status(&bakery, &token).await, 200);
    let begun = Instant::now();
    while status(&bakery, &token).await == 200 {
        assert!(begun.elapsed() < Duration::from_secs(10), "still counts");
    }
    assert_eq!(status(&bakery, &token).await, 401);
}

#[tokio::test]
async fn a_token_ends_and_begins_to_the_second() {
    let bakery = open();
    assert_counted_to_the_second(bakery.client(), "/me", users(), 7).await;
}

#[tokio::test]
async fn a_service_token_counts_for_one_audience_and_one_secret() {
    let bakery = open();
    let secret = lyceum_chassis::settings::DEVELOPMENT_SERVICE_SECRET;
    for (audience, secret, status) in [
        ("bakery", secret, 200),
        ("butcher", secret, 401),
        ("bakery", "another-secret-of-thirty-two-bytes", 401),
    ] {
        let token = lyceum_testing::identity::service_token("course", audience, secret);
        let answer = bakery
            .client()
            .get("/internal/flour")
            .bearer(token)
            .send()
            .await;
        assert_eq!(answer.status, status, "{audience}");
    }
    let body = bakery
        .client()
        .get("/internal/flour")
        .bearer(bakery.token_of("course"));
    assert_eq!(body.send().await.text(), json!("course").as_str().unwrap());
}
