//! Who may pass which door.

use serde_json::json;

use lyceum_testing::forgeries::assert_refused_alike;

use crate::bakery::{open, users};

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
    let in_query = format!("/me?access_token={}", users().student(1));
    bakery.client().get(&in_query).send().await.expect(401);
}

#[tokio::test]
async fn tokens_that_do_not_count_are_refused_all_alike() {
    let bakery = open();
    assert_refused_alike(bakery.client(), "/me", users(), 7, &[]).await;
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
