//! Requests that are not as they should be, on this service's routes.

use std::time::{Duration, Instant};

use lyceum_contracts::header::REQUEST_ID;

use crate::platform::{Platform, registration};

#[tokio::test]
async fn a_body_that_is_not_json_is_named_for_what_it_is() {
    let platform = Platform::start();
    let send = async |body: &'static [u8], media: &str| {
        platform
            .client()
            .post("/users")
            .body(body, media)
            .send()
            .await
    };
    for body in [
        &b"{\"email\":"[..],
        b"",
        b"{\"email\":\"a@b.c\",\"email\":\"d@e.f\"}",
        b"{\"email\":\"\\ud800\"}",
        b"{\"email\":\"\xff\"}",
        b"{\"full_name\":\"a\nb\"}",
    ] {
        let problem = send(body, "application/json").await.expect(400).problem();
        assert_eq!(problem.r#type, "/problems/malformed-request");
    }
    for body in [&b"[]"[..], b"null", b"\"ada\"", b"7"] {
        send(body, "application/json").await.expect(422).problem();
    }
    for media in [
        "text/plain",
        "application/xml",
        "application/json; charset=latin1",
    ] {
        send(b"{}", media).await.expect(415).problem();
    }
    platform
        .client()
        .post("/users")
        .send()
        .await
        .expect(415)
        .problem();
    // Whatever the caller would rather read, answers are JSON.
    let request = platform
        .client()
        .post("/users")
        .json(&registration("ada@example.org"));
    let answer = request
        .header("accept", "application/xml")
        .send()
        .await
        .expect(201);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_body_that_is_too_large_or_too_deep_is_refused_and_the_connection_lives_on() {
    let platform = Platform::start();
    let send = async |body: String| {
        platform
            .client()
            .post("/users")
            .body(body, "application/json")
            .send()
            .await
    };
    let limit = 1_048_576;
    send(format!("{{\"email\":\"{}\"}}", "x".repeat(limit)))
        .await
        .expect(413)
        .problem();
    send(format!("{{\"email\":{}", "[".repeat(10_000)))
        .await
        .expect(400)
        .problem();
    let began = Instant::now();
    send(format!("[{}0]", "0,".repeat(500_000)))
        .await
        .expect(400)
        .problem();
    assert!(began.elapsed() < Duration::from_secs(5));
    platform.registers("ada@example.org").await.expect(201);
}

#[tokio::test]
async fn a_method_a_route_does_not_have_is_a_405_with_those_it_has() {
    let platform = Platform::start();
    for (method, path, allowed) in [
        ("PUT", "/users", vec!["GET", "POST"]),
        ("TRACE", "/users", vec!["GET", "POST"]),
        ("POST", "/users/me", vec!["GET"]),
        ("PUT", "/users/1", vec!["DELETE", "GET", "PATCH"]),
        ("POST", "/users/1/overview", vec!["GET"]),
        ("GET", "/auth/login", vec!["POST"]),
        ("DELETE", "/auth/refresh", vec!["POST"]),
        ("GET", "/auth/logout", vec!["POST"]),
        ("POST", "/.well-known/jwks.json", vec!["GET"]),
        ("GET", "/internal/users/lookup", vec!["POST"]),
    ] {
        let answer = platform
            .client()
            .request(method.parse().unwrap(), path)
            .send()
            .await;
        let answer = answer.expect(405);
        answer.problem();
        let mut allow: Vec<_> = answer
            .header("allow")
            .unwrap_or_default()
            .split(", ")
            .collect();
        allow.sort_unstable();
        assert_eq!(allow, allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn a_path_that_leads_nowhere_is_a_404_problem() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    for path in [
        "/",
        "/user",
        "//users",
        "/users/",
        "/users/%2e%2e/users",
        "/v1/users",
        "/auth",
        "/internal",
        "/metrics",
        "/debug/settings",
    ] {
        let problem = ada.get(path).await.expect(404).problem();
        assert_eq!(problem.r#type, "/problems/not-found", "{path}");
        assert_eq!(problem.instance.as_deref(), Some(path));
    }
}

#[tokio::test]
async fn a_trace_parent_that_is_no_good_starts_a_trace_of_its_own() {
    let platform = Platform::start();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let ask = async |parents: &[String]| {
        let mut request = platform.client().get("/.well-known/jwks.json");
        for parent in parents {
            request = request.header("traceparent", parent);
        }
        request
            .send()
            .await
            .expect(200)
            .header("x-trace-id")
            .unwrap_or_default()
            .to_owned()
    };
    let good = format!("00-{trace}-00f067aa0ba902b7-01");
    assert_eq!(ask(std::slice::from_ref(&good)).await, trace);
    let zeros = "0".repeat(32);
    for bad in [
        vec![format!("00-{zeros}-00f067aa0ba902b7-01")],
        vec![format!("00-{trace}-0000000000000000-01")],
        vec![format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase())],
        vec![format!("ff-{trace}-00f067aa0ba902b7-01")],
        vec!["abc".to_owned()],
        vec![good.clone(), good],
    ] {
        let own = ask(&bad).await;
        assert_eq!(own.len(), 32, "{bad:?}");
        assert!(own != trace && own != zeros, "{bad:?}");
    }
}

#[tokio::test]
async fn a_request_id_is_echoed_when_it_is_short_and_plain() {
    let platform = Platform::start();
    let ask = async |id: &str| {
        let request = platform.client().get("/users/me").header(REQUEST_ID, id);
        request
            .send()
            .await
            .expect(401)
            .header(REQUEST_ID)
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(ask("abc-123").await, "abc-123");
    for bad in ["x".repeat(5_000), "a b".to_owned(), "<script>".to_owned()] {
        let own = ask(&bad).await;
        assert!(own != bad && (1..=128).contains(&own.len()), "{own}");
    }
}

#[tokio::test]
async fn a_request_that_takes_longer_than_it_may_is_a_408_and_holds_nothing() {
    let platform = Platform::with(|settings| {
        settings.platform.database.max_connections = 1;
        settings.service.passwords.concurrency = 1;
    });
    let late = async || {
        let request = platform.client().post("/users").header("x-deadline-ms", 1);
        request.json(&registration("ada@example.org")).send().await
    };
    for _ in 0..5 {
        late().await.expect(408).problem();
    }
    // The one connection and the one slot have been given back, and nothing was written.
    platform.registers("ada@example.org").await.expect(201);
}

#[tokio::test]
async fn no_answer_is_kept_by_caches_or_framed_by_pages() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    for answer in [
        ada.get("/users/me").await,
        ada.get("/nowhere").await,
        platform.registers("x").await,
        platform.logs_in(&ada.email, "wrong").await,
    ] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'"));
        assert!(answer.header(REQUEST_ID).is_some());
    }
}
