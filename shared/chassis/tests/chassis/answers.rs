//! Every failure is a problem, and every answer has the same headers.

use lyceum_testing::http::Response;
use serde_json::json;

use crate::bakery::{open, users};

fn is_problem(response: &Response, status: u16, slug: &str) {
    assert_eq!(response.status, status, "{}", response.text());
    assert_eq!(
        response.header("content-type"),
        Some("application/problem+json")
    );
    let problem = response.problem();
    assert_eq!(problem.r#type, format!("/problems/{slug}"));
    assert_eq!(problem.status, status);
    assert!(problem.trace_id.is_some(), "a problem names its trace");
    assert!(problem.instance.is_some(), "a problem names its request");
}

#[tokio::test]
async fn the_frameworks_own_failures_are_problems_too() {
    let bakery = open();
    let client = bakery.client();
    let unknown = client.get("/cakes").send().await;
    is_problem(&unknown, 404, "not-found");
    let wrong_method = client.put("/loaves").send().await;
    is_problem(&wrong_method, 405, "method-not-allowed");
    let allowed = wrong_method.header("allow").unwrap().to_owned();
    assert!(
        allowed.contains("GET") && allowed.contains("POST"),
        "{allowed}"
    );
    let traced = client.request("TRACE".parse().unwrap(), "/").send().await;
    assert!(matches!(traced.status, 404 | 405), "TRACE is refused");
}

#[tokio::test]
async fn paths_that_climb_or_stutter_name_nothing() {
    let bakery = open();
    for path in ["//loaves", "/loaves/%2e%2e/x", "/loaves/../x"] {
        let answer = bakery
            .client()
            .raw(format!("GET {path} HTTP/1.1\r\nhost: b\r\n\r\n"))
            .await;
        is_problem(&answer, 404, "not-found");
    }
}

#[tokio::test]
async fn whatever_is_not_an_id_is_not_found() {
    let bakery = open();
    for id in [
        "abc",
        "0",
        "-1",
        "9223372036854775808",
        "1'%20OR%20'1'='1",
        "..%2F1",
    ] {
        let answer = bakery.client().get(&format!("/loaves/{id}")).send().await;
        is_problem(&answer, 404, "not-found");
    }
    bakery
        .client()
        .get("/loaves/9223372036854775807")
        .send()
        .await
        .expect(200);
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_next_request_is_fine() {
    let bakery = open();
    let burnt = bakery.client().get("/fire").send().await;
    is_problem(&burnt, 500, "internal-error");
    assert!(
        !burnt.text().contains("recipe"),
        "the payload of a panic stays inside"
    );
    let smoke = bakery.client().get("/smoke").send().await;
    is_problem(&smoke, 500, "internal-error");
    bakery.client().get("/health").send().await.expect(200);
}

#[tokio::test]
async fn the_cause_of_a_500_is_logged_and_not_sent() {
    let bakery = open();
    let failed = bakery.client().get("/mouldy").send().await;
    is_problem(&failed, 500, "internal-error");
    assert!(!failed.text().contains("flour"));
    assert_eq!(failed.problem().detail, None);
    let trace = failed.problem().trace_id.unwrap();
    let logged = bakery.captured().lines_of(&trace);
    let causes = logged.iter().filter(|line| line["event"] == "http.failed");
    let causes: Vec<_> = causes.map(|line| line["cause"].as_str().unwrap()).collect();
    assert_eq!(
        causes,
        ["SELECT flour FROM cellar"],
        "once, for the operator"
    );
}

#[tokio::test]
async fn every_answer_has_the_security_headers_and_a_request_id() {
    let bakery = open();
    let token = users().student(1);
    for (path, status) in [("/me", 200), ("/cakes", 404), ("/fire", 500)] {
        let answer = bakery
            .client()
            .get(path)
            .bearer(&token)
            .send()
            .await
            .expect(status);
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(
            answer
                .header("x-request-id")
                .is_some_and(|id| !id.is_empty()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_plain_request_id_is_echoed_and_an_odd_one_replaced() {
    let bakery = open();
    let echoed = bakery
        .client()
        .get("/health")
        .header("x-request-id", "order-66")
        .send()
        .await;
    assert_eq!(echoed.header("x-request-id"), Some("order-66"));
    for odd in [
        "x".repeat(5_000),
        "two words".to_owned(),
        "a\u{7f}b".to_owned(),
    ] {
        let request = format!("GET /health HTTP/1.1\r\nhost: b\r\nx-request-id: {odd}\r\n\r\n");
        let answer = bakery.client().raw(request).await;
        let id = answer.header("x-request-id").map(str::to_owned);
        assert!(id.is_none_or(|id| id != odd && id.len() == 36), "{odd:.20}");
    }
}

#[tokio::test]
async fn the_type_of_a_problem_resolves_to_its_explanation() {
    let bakery = open();
    let problem = bakery.client().get("/cakes").send().await.problem();
    let explanation = bakery
        .client()
        .get(&problem.r#type)
        .send()
        .await
        .expect(200);
    assert!(explanation.text().starts_with(&problem.title));
    let unknown = bakery.client().get("/problems/hunger").send().await;
    is_problem(&unknown, 404, "not-found");
}

#[tokio::test]
async fn the_documentation_is_served_without_the_internet() {
    let bakery = open();
    let description = bakery
        .client()
        .get("/openapi.json")
        .send()
        .await
        .expect(200);
    assert!(
        description.json::<serde_json::Value>()["openapi"]
            .as_str()
            .unwrap()
            .starts_with("3.1")
    );
    let moved = bakery.client().get("/docs").send().await;
    assert_eq!(
        (moved.status, moved.header("location")),
        (307, Some("/docs/"))
    );
    let page = bakery
        .client()
        .get("/docs/")
        .send()
        .await
        .expect(200)
        .text();
    assert!(
        !page.contains("//cdn") && !page.contains("https://unpkg"),
        "no asset from elsewhere"
    );
    let script = bakery.client().get("/docs/swagger-initializer.js");
    let script = script.send().await.expect(200).text();
    assert!(script.contains("\"/openapi.json\""), "{script}");
}

#[tokio::test]
async fn a_stale_or_missing_precondition_is_told_apart() {
    let bakery = open();
    let client = bakery.client();
    let tag = client
        .get("/loaves/1")
        .send()
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    let change = || client.patch("/loaves/1").json(&json!({}));
    is_problem(&change().send().await, 428, "precondition-required");
    is_problem(
        &change().header("if-match", "\"v6\"").send().await,
        412,
        "precondition-failed",
    );
    is_problem(
        &change().header("if-match", "nonsense").send().await,
        412,
        "precondition-failed",
    );
    change().header("if-match", tag).send().await.expect(204);
    change().header("if-match", "*").send().await.expect(204);
}
