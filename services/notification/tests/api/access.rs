//! Who may call what: every caller on every route, and tokens that do not count.

use lyceum_chassis::settings::DEVELOPMENT_SERVICE_SECRET;
use lyceum_notification::App;
use lyceum_testing::forgeries::{
    assert_counted_to_the_second, assert_none_in_a_query, assert_refused_alike,
};
use lyceum_testing::identity::service_token;
use lyceum_testing::openapi::assert_each_has_a_row;
use serde_json::{Value, json};

use crate::platform::{Platform, STREAM, enrolment};
use crate::socket::SOCKET;

/// From a letter, with a token nobody has.
const UNSUBSCRIBE: &str = "/unsubscribe?token=0123456789abcdef0123456789abcdef.enrolment.created";

#[tokio::test]
async fn every_route_knows_its_callers() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols(&ada, "Logic").await;
    let one = format!("/notifications/{}", ada.inbox().await[0].id);
    let [read, unread, archive, unarchive] =
        ["read", "unread", "archive", "unarchive"].map(|action| format!("{one}/{action}"));
    let webhook = webhook_with_a_message(&platform).await;
    let resend = format!("{webhook}/deliveries/1/resend");
    let (secret, log) = (format!("{webhook}/secret"), format!("{webhook}/deliveries"));
    let callers = [
        ("nobody", None),
        ("the person", Some(ada.token)),
        ("another person", Some(platform.tokens.student(2))),
        ("an admin", Some(platform.tokens.admin(3))),
        ("a service", Some(platform.app.token_of("user"))),
    ];
    let table = [
        ("GET", "/notifications", [401, 200, 200, 200, 401]),
        (
            "GET",
            "/notifications/unread-count",
            [401, 200, 200, 200, 401],
        ),
        ("POST", "/notifications/read-all", [401, 204, 204, 204, 401]),
        ("POST", &read, [401, 200, 404, 404, 401]),
        ("POST", &unread, [401, 200, 404, 404, 401]),
        ("POST", &archive, [401, 200, 404, 404, 401]),
        ("POST", &unarchive, [401, 200, 404, 404, 401]),
        ("DELETE", &one, [401, 204, 404, 404, 401]),
        ("POST", "/internal/events", [401, 403, 403, 403, 200]),
        (
            "GET",
            "/internal/users/1/unread-count",
            [401, 403, 403, 403, 200],
        ),
        ("GET", "/preferences", [401, 200, 200, 200, 401]),
        ("PUT", "/preferences", [401, 200, 200, 200, 401]),
        // Whoever holds a letter.
        ("GET", UNSUBSCRIBE, [200, 200, 200, 200, 200]),
        ("POST", UNSUBSCRIBE, [200, 200, 200, 200, 200]),
        ("GET", "/connections", [401, 403, 403, 200, 401]),
        // Whoever looks; production has no page.
        ("GET", "/", [200, 200, 200, 200, 200]),
        ("GET", "/deliveries", [401, 403, 403, 200, 401]),
        ("POST", "/deliveries/1/retry", [401, 403, 403, 200, 401]),
        ("POST", "/deliveries/1/cancel", [401, 403, 403, 200, 401]),
        (
            "GET",
            "/mail/templates/welcome/preview",
            [401, 403, 403, 200, 401],
        ),
        ("POST", "/webhooks", [401, 403, 403, 201, 401]),
        ("GET", "/webhooks", [401, 403, 403, 200, 401]),
        ("GET", &webhook, [401, 403, 403, 200, 401]),
        ("PATCH", &webhook, [401, 403, 403, 200, 401]),
        ("POST", &secret, [401, 403, 403, 200, 401]),
        ("GET", &log, [401, 403, 403, 200, 401]),
        ("POST", &resend, [401, 403, 403, 200, 401]),
        ("DELETE", &webhook, [401, 403, 403, 204, 401]),
        ("GET", "/presence?user_ids=1", [401, 200, 200, 200, 401]),
        ("GET", "/presence/count", [401, 403, 403, 200, 401]),
        ("POST", "/broadcasts", [401, 403, 403, 202, 401]),
        ("GET", "/broadcasts", [401, 403, 403, 200, 401]),
        ("GET", "/broadcasts/1", [401, 403, 403, 200, 401]),
        ("DELETE", "/broadcasts/1", [401, 403, 403, 204, 401]),
        // A refusal is whole; what an opened stream says is told in `live`.
        ("GET", STREAM, [401, 0, 0, 0, 401]),
        // No handshake; what an opened socket says is told in `live_socket`.
        ("GET", SOCKET, [401, 400, 400, 400, 401]),
        // As above; who is in a course is told in `courses`.
        ("GET", "/sse/courses/3", [401, 0, 0, 0, 401]),
        ("GET", "/ws/courses/3", [401, 400, 400, 400, 401]),
        ("POST", "/stream-tickets", [401, 201, 201, 201, 401]),
    ];
    for (method, path, statuses) in table {
        for ((name, token), status) in callers.iter().zip(statuses) {
            if status == 0 {
                continue;
            }
            let mut request = platform.app.client().request(method.parse().unwrap(), path);
            if let Some(body) = body_for(method, path) {
                request = request.json(&body);
            }
            if let Some(token) = token {
                request = request.bearer(token);
            }
            let answer = request.send().await;
            assert_eq!(
                answer.status,
                status,
                "{name}: {method} {path}: {}",
                answer.text()
            );
            if status == 401 {
                let challenge = answer.header("www-authenticate").unwrap_or_default();
                assert!(challenge.starts_with("Bearer"), "{name}: {method} {path}");
            }
        }
    }
    let rows = table.map(|(method, path, _)| (method, path));
    assert_each_has_a_row::<App>(&rows);
}

/// What is sent to a route that takes nothing else.
fn body_for(method: &str, path: &str) -> Option<Value> {
    Some(match (method, path) {
        (_, "/internal/events") => json!({ "events": [enrolment(1, "Sets")] }),
        ("POST", "/webhooks") => {
            json!({"url": "https://example.org/", "events": ["enrolment.created"]})
        }
        ("POST", "/broadcasts") => {
            json!({"audience": {"kind": "all"}, "title": "News", "body": "All day."})
        }
        ("PATCH", _) => json!({}),
        ("PUT", _) => json!({ "items": [] }),
        _ => return None,
    })
}

/// The path of a receiver that somebody's enrolment waits for; no courier runs.
async fn webhook_with_a_message(platform: &Platform) -> String {
    let register = platform.app.client().post("/webhooks");
    let register = register.bearer(platform.tokens.admin(3));
    let register = register.json(&body_for("POST", "/webhooks"));
    let path = register.send().await.expect(201);
    platform.enrols(&platform.person(4), "Logic").await;
    path.header("location").unwrap().to_owned()
}

#[tokio::test]
async fn a_token_that_does_not_count_is_refused_the_same_way_whatever_is_wrong() {
    let platform = Platform::start();
    // The right keys are known before the wrong tokens come.
    platform.person(1).inbox().await;
    for path in ["/notifications", STREAM] {
        let client = platform.app.client();
        assert_refused_alike(client, path, &platform.tokens, 1, &[]).await;
    }
}

#[tokio::test]
async fn a_service_token_counts_here_alone_and_with_the_platforms_secret_alone() {
    let platform = Platform::start();
    let path = "/internal/users/1/unread-count";
    for (name, token) in [
        (
            "of another service",
            service_token("user", "course", DEVELOPMENT_SERVICE_SECRET),
        ),
        (
            "of another secret",
            service_token("user", "notification", "another-secret-of-some-length"),
        ),
    ] {
        let answer = platform.app.client().get(path).bearer(token).send().await;
        assert_eq!(answer.status, 401, "a token {name}");
    }
}

#[tokio::test]
async fn a_token_ends_and_begins_to_the_second() {
    let platform = Platform::start();
    let client = platform.app.client();
    assert_counted_to_the_second(client, "/notifications", &platform.tokens, 1).await;
}

#[tokio::test]
async fn a_token_anywhere_but_in_its_header_is_none_and_is_not_written_down() {
    let platform = Platform::start();
    let ada = platform.person(1);
    ada.inbox().await;
    for path in ["/notifications", STREAM] {
        assert_none_in_a_query(&platform.app, path, &ada.token).await;
    }
}
