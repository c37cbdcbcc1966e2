//! Requests that are not as they should be, on this service's routes.

use lyceum_contracts::header::REQUEST_ID;
use serde_json::{Value, json};

use crate::platform::{EVENTS, Platform, STREAM, enrolment};

#[tokio::test]
async fn a_body_that_is_not_json_is_named_for_what_it_is() {
    let platform = Platform::start();
    let send = async |body: &'static [u8], media: &str| {
        let request = platform
            .app
            .client()
            .post(EVENTS)
            .bearer(platform.app.token_of("course"));
        request.body(body, media).send().await
    };
    for body in [
        &b"{\"events\":"[..],
        b"",
        b"{\"events\":[],\"events\":[]}",
        b"{\"events\":[{\"type\":\"a\",\"type\":\"b\"}]}",
        b"{\"events\":[\"\\ud800\"]}",
        b"{\"events\":[\"\xff\"]}",
    ] {
        let problem = send(body, "application/json").await.expect(400).problem();
        assert_eq!(problem.r#type, "/problems/malformed-request");
    }
    for body in [
        &b"[]"[..],
        b"null",
        b"{}",
        b"{\"events\":{}}",
        b"{\"events\":null}",
    ] {
        let problem = send(body, "application/json").await.expect(422).problem();
        assert!(
            !problem.errors.is_empty(),
            "{:?}",
            String::from_utf8_lossy(body)
        );
    }
    for media in ["text/plain", "application/xml"] {
        send(b"{\"events\":[]}", media).await.expect(415).problem();
    }
    let post = platform
        .app
        .client()
        .post(EVENTS)
        .bearer(platform.app.token_of("course"));
    post.send().await.expect(415).problem();
}

#[tokio::test]
async fn a_body_that_is_too_large_or_too_deep_is_refused_and_the_next_one_taken() {
    let platform = Platform::start();
    let send = async |body: String| {
        let request = platform
            .app
            .client()
            .post(EVENTS)
            .bearer(platform.app.token_of("course"));
        request.body(body, "application/json").send().await
    };
    let padding = " ".repeat(1_048_576);
    send(format!("{{\"events\":[]}}{padding}"))
        .await
        .expect(413)
        .problem();
    send(format!("{{\"events\":{}", "[".repeat(10_000)))
        .await
        .expect(400)
        .problem();
    let many = format!("{{\"events\":[{}0]}}", "0,".repeat(500_000));
    send(many).await.expect(400).problem();
    platform.enrols(&platform.person(1), "Logic").await;
}

#[tokio::test]
async fn unknown_fields_and_parameters_are_refused() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let request = platform
        .app
        .client()
        .post(EVENTS)
        .bearer(platform.app.token_of("course"));
    let body = json!({"events": [enrolment(1, "Logic")], "user_id": 1});
    let problem = request.json(&body).send().await.expect(422).problem();
    assert_eq!(problem.errors[0].pointer, "#/user_id");
    let problem = ada
        .get("/notifications?user_id=2")
        .await
        .expect(422)
        .problem();
    assert_eq!(problem.errors[0].pointer, "?user_id");
    let problem = ada
        .get(&format!("{STREAM}?user_id=2"))
        .await
        .expect(422)
        .problem();
    assert_eq!(problem.errors[0].pointer, "?user_id");
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused_by_the_name_of_its_parameter() {
    let platform = Platform::start();
    let ada = platform.person(1);
    for (query, pointer) in [
        ("limit=0", "?limit"),
        ("limit=-1", "?limit"),
        ("limit=1000000000", "?limit"),
        ("limit=abc", "?limit"),
        ("limit=1&limit=9", "?limit"),
        ("skip=-1", "?skip"),
        ("skip=10001", "?skip"),
        ("cursor=abc&unread=maybe", "?unread"),
        ("skip=0&cursor=YWZ0ZXI6MQ", "?cursor"),
        ("unread=maybe", "?unread"),
        ("unread=true&unread=false", "?unread"),
        ("archived=1", "?archived"),
        ("archived=true&archived=true", "?archived"),
        ("type=course.exploded", "?type"),
        ("type=", "?type"),
        ("type=enrolment.created%27%20OR%201=1", "?type"),
    ] {
        let answer = ada.get(&format!("/notifications?{query}")).await;
        let problem = answer.expect(422).problem();
        assert_eq!(problem.errors[0].pointer, pointer, "{query}");
    }
    let problem = ada
        .get("/notifications?cursor=abc")
        .await
        .expect(400)
        .problem();
    assert_eq!(problem.r#type, "/problems/invalid-cursor");
}

#[tokio::test]
async fn an_id_that_is_none_names_nothing() {
    let platform = Platform::start();
    let ada = platform.person(1);
    for id in [
        "abc",
        "0",
        "-1",
        "01",
        "1%27%20OR%20%271%27=%271",
        "9223372036854775808",
    ] {
        for action in ["read", "unread", "archive", "unarchive"] {
            let path = format!("/notifications/{id}/{action}");
            ada.post(&path).await.expect(404).problem();
        }
        let path = format!("/notifications/{id}");
        let request = ada.client.delete(&path).bearer(&ada.token);
        request.send().await.expect(404).problem();
        let path = format!("/internal/users/{id}/unread-count");
        let request = platform.app.client().get(&path);
        let answer = request.bearer(platform.app.token_of("user")).send().await;
        answer.expect(404).problem();
    }
}

#[tokio::test]
async fn a_method_a_route_does_not_have_is_a_405_with_those_it_has() {
    let platform = Platform::start();
    let client = platform.app.client();
    for (method, path, allow) in [
        ("POST", "/notifications", "GET"),
        ("PUT", "/notifications/unread-count", "GET"),
        ("GET", "/notifications/read-all", "POST"),
        ("DELETE", "/notifications/1/read", "POST"),
        ("GET", "/notifications/1", "DELETE"),
        ("PUT", "/notifications/1/archive", "POST"),
        ("POST", STREAM, "GET"),
        ("GET", EVENTS, "POST"),
        ("TRACE", "/notifications", "GET"),
    ] {
        let answer = client.request(method.parse().unwrap(), path).send().await;
        let answer = answer.expect(405);
        answer.problem();
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
}

#[tokio::test]
async fn a_path_that_leads_nowhere_is_a_404_problem() {
    let platform = Platform::start();
    let ada = platform.person(1);
    for path in [
        "/nowhere",
        "//notifications",
        "/notifications/",
        "/notifications/%2e%2e/x",
        "/sse",
    ] {
        let problem = ada.get(path).await.expect(404).problem();
        assert_eq!(problem.instance.as_deref(), Some(path));
    }
}

#[tokio::test]
async fn a_request_is_named_and_its_answer_guarded() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let get = |id: &str| {
        ada.client
            .get("/notifications")
            .bearer(&ada.token)
            .header(REQUEST_ID, id)
    };
    let named = get("abc-1").send().await.expect(200);
    assert_eq!(named.header(REQUEST_ID), Some("abc-1"));
    for odd in ["x".repeat(5_000), "a b".to_owned(), "<script>".to_owned()] {
        let answer = get(&odd).send().await.expect(200);
        let id = answer.header(REQUEST_ID).unwrap();
        assert!(id != odd && !id.is_empty());
    }
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(named.header(name), Some(value));
    }
}

#[tokio::test]
async fn whatever_media_type_is_asked_for_answers_are_json() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let request = ada.client.get("/notifications").bearer(&ada.token);
    let answer = request
        .header("accept", "application/xml")
        .send()
        .await
        .expect(200);
    assert_eq!(answer.json::<Value>()["items"], json!([]));
}
