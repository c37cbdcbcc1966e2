//! Requests that are not as they should be, on this service's routes.

use std::time::{Duration, Instant};

use lyceum_contracts::header::REQUEST_ID;
use serde_json::json;

use crate::platform::Platform;

#[tokio::test]
async fn a_body_that_is_not_json_is_named_for_what_it_is() {
    let platform = Platform::start();
    let teacher = platform.instructor(1);
    let send = async |body: &'static [u8], media: &str| {
        let request = teacher.client.post("/courses").bearer(&teacher.token);
        request.body(body, media).send().await
    };
    for body in [
        &b"{\"title\":"[..],
        b"",
        b"{\"title\":\"L\",\"title\":\"M\"}",
        b"{\"title\":\"\\ud800\"}",
        b"{\"title\":\"\xff\"}",
        b"{\"title\":\"a\nb\"}",
    ] {
        let problem = send(body, "application/json").await.expect(400).problem();
        assert_eq!(problem.r#type, "/problems/malformed-request");
    }
    for media in [
        "text/plain",
        "application/xml",
        "application/json; charset=latin1",
    ] {
        send(b"{\"title\":\"L\"}", media)
            .await
            .expect(415)
            .problem();
    }
    // Whatever the caller would rather read, problems and answers are JSON.
    let request = teacher.client.get("/courses").bearer(&teacher.token);
    let answer = request
        .header("accept", "application/xml")
        .send()
        .await
        .expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_body_that_is_too_large_or_too_deep_is_refused_and_the_connection_lives_on() {
    let platform = Platform::start();
    let teacher = platform.instructor(1);
    let send = async |body: String| {
        let request = teacher.client.post("/courses").bearer(&teacher.token);
        request.body(body, "application/json").send().await
    };
    let limit = 1_048_576;
    send(format!("{{\"title\":\"{}\"}}", "x".repeat(limit)))
        .await
        .expect(413)
        .problem();
    send(format!("{{\"title\":{}", "[".repeat(10_000)))
        .await
        .expect(400)
        .problem();
    let began = Instant::now();
    send(format!("[{}0]", "0,".repeat(500_000)))
        .await
        .expect(400)
        .problem();
    assert!(began.elapsed() < Duration::from_secs(5));
    teacher.writes("Logic", None).await;
}

#[tokio::test]
async fn a_method_a_route_does_not_have_is_a_405_with_those_it_has() {
    let platform = Platform::start();
    let client = platform.app.client();
    for (method, path, allowed) in [
        ("PUT", "/courses", vec!["GET", "POST"]),
        ("PUT", "/courses/1", vec!["DELETE", "GET", "PATCH"]),
        ("GET", "/courses/1/publish", vec!["POST"]),
        ("GET", "/courses/1/enrolments", vec!["DELETE", "POST"]),
        ("POST", "/enrolments/1", vec!["GET"]),
        ("POST", "/users/1/stats", vec!["GET"]),
        ("TRACE", "/courses", vec!["GET", "POST"]),
    ] {
        let answer = client
            .request(method.parse().unwrap(), path)
            .send()
            .await
            .expect(405);
        answer.problem();
        let allow = answer.header("allow").unwrap_or_default().to_owned();
        let mut allow: Vec<_> = allow.split(", ").collect();
        allow.sort_unstable();
        assert_eq!(allow, allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn a_path_that_leads_nowhere_is_a_404_problem() {
    let platform = Platform::start();
    let ada = platform.student(1);
    for path in [
        "/",
        "/course",
        "//courses",
        "/courses/",
        "/courses/%2e%2e/courses",
        "/v1/courses",
        "/internal/users",
        "/metrics",
        "/debug/settings",
    ] {
        let problem = ada.get(path).await.expect(404).problem();
        assert_eq!(problem.r#type, "/problems/not-found", "{path}");
    }
}

#[tokio::test]
async fn whatever_is_not_an_id_names_nothing() {
    let platform = Platform::start();
    let ada = platform.student(1);
    let mut answers = Vec::new();
    for id in [
        "999999",
        "abc",
        "0",
        "-1",
        "01",
        "1.0",
        "%2e%2e%2f1",
        "1'%20OR%20'1'='1",
        "9223372036854775808",
        "18446744073709551616",
        "%00",
        "%ff",
    ] {
        for path in [
            format!("/courses/{id}"),
            format!("/enrolments/{id}"),
            format!("/users/{id}/stats"),
        ] {
            let problem = ada.get(&path).await.expect(404).problem();
            answers.push((problem.r#type, problem.title, problem.detail));
        }
        ada.post(&format!("/courses/{id}/enrolments"))
            .await
            .expect(404);
        ada.client
            .delete(&format!("/courses/{id}/enrolments"))
            .bearer(&ada.token)
            .send()
            .await
            .expect(404);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_trace_or_request_id_that_is_no_good_is_replaced() {
    let platform = Platform::start();
    let ada = platform.student(1);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let ask = async |headers: &[(&str, String)]| {
        let mut request = ada.client.get("/courses").bearer(&ada.token);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.send().await.expect(200)
    };
    let good = ask(&[("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))]).await;
    assert_eq!(good.header("x-trace-id"), Some(trace));
    let zeros = "0".repeat(32);
    for bad in [
        format!("00-{zeros}-00f067aa0ba902b7-01"),
        format!("00-{trace}-0000000000000000-01"),
        format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
        format!("ff-{trace}-00f067aa0ba902b7-01"),
        "abc".to_owned(),
    ] {
        let answer = ask(&[("traceparent", bad.clone())]).await;
        let own = answer.header("x-trace-id").unwrap_or_default();
        assert_eq!(own.len(), 32, "{bad}");
        assert!(own != trace && own != zeros, "{bad}");
    }
    let two = format!("00-{trace}-00f067aa0ba902b7-01");
    let answer = ask(&[("traceparent", two.clone()), ("traceparent", two)]).await;
    assert_ne!(
        answer.header("x-trace-id"),
        Some(trace),
        "two parents are none"
    );

    assert_eq!(
        ask(&[(REQUEST_ID, "abc-123".to_owned())])
            .await
            .header(REQUEST_ID),
        Some("abc-123")
    );
    for bad in ["x".repeat(5_000), "a b".to_owned(), "<script>".to_owned()] {
        let answer = ask(&[(REQUEST_ID, bad.clone())]).await;
        let own = answer.header(REQUEST_ID).unwrap_or_default();
        assert!(own != bad && (1..=128).contains(&own.len()));
    }
}

#[tokio::test]
async fn a_deadline_the_caller_sets_is_kept_and_nonsense_is_refused() {
    let platform = Platform::start();
    let ada = platform.student(1);
    let ask = async |deadline: &str| {
        let request = ada.client.get("/courses").bearer(&ada.token);
        request.header("x-deadline-ms", deadline).send().await
    };
    ask("10000").await.expect(200);
    ask("0").await.expect(408).problem();
    ask("soon").await.expect(400).problem();
}

#[tokio::test]
async fn no_answer_is_kept_by_caches_or_framed_by_pages() {
    let platform = Platform::start();
    let teacher = platform.instructor(1);
    for answer in [
        teacher.get("/courses").await,
        teacher.get("/nowhere").await,
        teacher.post_json("/courses", &json!({"title": 7})).await,
    ] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(
            answer
                .header("content-security-policy")
                .is_some_and(|policy| policy.contains("frame-ancestors 'none'"))
        );
        assert!(answer.header(REQUEST_ID).is_some());
    }
}
