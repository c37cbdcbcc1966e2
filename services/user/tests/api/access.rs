//! Who may call what: every caller on every route, and tokens that do not count.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use lyceum_testing::forgeries::{
    assert_counted_to_the_second, assert_none_in_a_query, assert_refused_alike,
};
use lyceum_testing::identity::TestUsers;
use lyceum_testing::openapi::assert_each_has_a_row;
use lyceum_testing::peer::Answer;
use lyceum_user::App;
use lyceum_user::settings::DEVELOPMENT_SIGNING_KEY;
use serde_json::{Value, json};

use crate::platform::{PASSWORD, Platform, registration};

const BULK: &str = "/users/bulk";

/// A route, a body where it takes one, and the statuses of: nobody, another student, an
/// instructor, the person themself, an admin, a service.
type Row = (&'static str, String, Option<Value>, [u16; 6]);

/// The token of a mailed link, as it looks.
const NOBODYS_LINK: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn table(ada: UserId) -> Vec<Row> {
    let row = |method, path: &str, body, statuses| {
        (
            method,
            path.replace("{id}", &ada.to_string()),
            body,
            statuses,
        )
    };
    let wrong = json!({"email": "ada@example.org", "password": "wrong"});
    let token = json!({"refresh_token": "nobody's"});
    let name = json!({"items": [{"id": ada, "full_name": "A"}]});
    let ours = json!({"items": [{"email": "ada@example.org", "full_name": "Ada"}]});
    vec![
        row(
            "POST",
            "/users",
            Some(registration("ada@example.org")),
            [409; 6],
        ),
        row("GET", "/users", None, [401, 403, 403, 403, 200, 401]),
        row("POST", BULK, Some(ours), [401, 403, 403, 403, 409, 401]),
        row("PATCH", BULK, Some(name), [401, 403, 403, 403, 207, 401]),
        row("GET", "/users/export", None, [401, 403, 403, 403, 200, 401]),
        row("GET", "/users/me", None, [401, 200, 200, 200, 200, 401]),
        row("GET", "/users/{id}", None, [401, 200, 200, 200, 200, 401]),
        row(
            "PATCH",
            "/users/{id}",
            Some(json!({"full_name": "A"})),
            [401, 404, 404, 200, 200, 401],
        ),
        row(
            "PATCH",
            "/users/{id}",
            Some(json!({"role": "student"})),
            [401, 404, 404, 403, 200, 401],
        ),
        row(
            "GET",
            "/users/{id}/overview",
            None,
            [401, 404, 404, 200, 200, 401],
        ),
        row("POST", "/auth/login", Some(wrong), [401; 6]),
        row("POST", "/auth/refresh", Some(token.clone()), [401; 6]),
        row("POST", "/auth/logout", Some(token), [204; 6]),
        row("GET", "/audit", None, [401, 403, 403, 403, 200, 401]),
        row(
            "PUT",
            "/users/me/password",
            Some(json!({"current_password": "wrong", "new_password": "a heron on one leg"})),
            [401, 422, 422, 422, 422, 401],
        ),
        row(
            "PUT",
            "/users/me/email",
            Some(json!({"email": "eve@example.org", "password": "wrong"})),
            [401, 422, 422, 422, 422, 401],
        ),
        row(
            "POST",
            "/auth/forgot-password",
            Some(json!({"email": "nobody@example.org"})),
            [202; 6],
        ),
        row(
            "POST",
            "/auth/reset-password",
            Some(json!({"token": NOBODYS_LINK, "new_password": PASSWORD})),
            [410; 6],
        ),
        row(
            "POST",
            "/auth/confirm-email",
            Some(json!({"token": NOBODYS_LINK})),
            [410; 6],
        ),
        row(
            "POST",
            "/auth/accept-invitation",
            Some(json!({"token": NOBODYS_LINK, "password": PASSWORD})),
            [410; 6],
        ),
        // One service alone sends mail, and this is another.
        row(
            "POST",
            "/internal/mailed-links/1/token",
            None,
            [401, 403, 403, 403, 403, 403],
        ),
        row("GET", "/.well-known/jwks.json", None, [200; 6]),
        row(
            "POST",
            "/internal/users/lookup",
            Some(json!({"ids": [ada]})),
            [401, 403, 403, 403, 403, 200],
        ),
    ]
}

/// The rows of what goes on after its request was answered.
fn table_of_jobs() -> Vec<Row> {
    let row = |method, path: &str, body, statuses| (method, path.to_owned(), body, statuses);
    let news = json!({"title": "Library", "text": "Closed on Friday."});
    let asks_for_one = [401, 404, 404, 404, 200, 401];
    vec![
        // It takes lists, not JSON, and says so to those it takes any from.
        row(
            "POST",
            "/users/import",
            Some(json!({})),
            [401, 403, 403, 403, 415, 401],
        ),
        // The admin's makes the job that is asked for below.
        row(
            "POST",
            "/users/announcements",
            Some(news),
            [401, 403, 403, 403, 202, 401],
        ),
        row("GET", "/jobs", None, [401, 200, 200, 200, 200, 401]),
        row("GET", "/jobs/1", None, asks_for_one),
        row("GET", "/jobs/1/faults", None, asks_for_one),
        row("DELETE", "/jobs/1", None, [401, 404, 404, 404, 204, 401]),
        row(
            "GET",
            "/internal/users",
            None,
            [401, 403, 403, 403, 403, 200],
        ),
    ]
}

/// The rows of sessions and of the tokens called in with them.
fn table_of_sessions(ada: UserId) -> Vec<Row> {
    let of_ada = format!("/users/{ada}/sessions");
    let own = || "/sessions".to_owned();
    let missing = "/sessions/987654321".to_owned();
    vec![
        (
            "GET",
            "/internal/revocations".to_owned(),
            None,
            [401, 403, 403, 403, 403, 200],
        ),
        ("GET", own(), None, [401, 200, 200, 200, 200, 401]),
        ("DELETE", missing, None, [401, 404, 404, 404, 404, 401]),
        ("GET", of_ada.clone(), None, [401, 403, 403, 403, 200, 401]),
        ("DELETE", of_ada, None, [401, 403, 403, 403, 204, 401]),
        ("DELETE", own(), None, [401, 204, 204, 204, 204, 401]),
    ]
}

/// The rows of an account's standing, of nobody's account: everybody else is still needed.
fn table_of_standing() -> Vec<Row> {
    let row = |method, path: &str, statuses| (method, path.to_owned(), None, statuses);
    vec![
        row(
            "POST",
            "/users/999999/disable",
            [401, 403, 403, 403, 404, 401],
        ),
        row(
            "POST",
            "/users/999999/enable",
            [401, 403, 403, 403, 404, 401],
        ),
        row("DELETE", "/users/999999", [401, 404, 404, 404, 404, 401]),
    ]
}

#[tokio::test]
async fn every_route_knows_its_callers() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let table = [
        table(ada.id),
        table_of_standing(),
        table_of_jobs(),
        table_of_sessions(ada.id),
    ]
    .concat();
    let bob = platform.student("bob").await.id;
    let cyd = platform.instructor("cyd").await.id;
    let admin = platform.admin().await.id;
    let issuer = issuer();
    // Of a session and a version of its own each time: no row calls in what the next one needs.
    let fresh = |user: UserId, role, number: usize| {
        let token = issuer.token(user, role).claim("sid", 1_000_000 + number);
        token.claim("ver", 1_000_000 + number).sign()
    };
    let token_of = |caller, number| match caller {
        "another student" => Some(fresh(bob, Role::Student, number)),
        "an instructor" => Some(fresh(cyd, Role::Instructor, number)),
        "the person" => Some(fresh(ada.id, Role::Student, number)),
        "an admin" => Some(fresh(admin, Role::Admin, number)),
        "a service" => Some(platform.app.token_of("course")),
        _ => None,
    };
    let callers = [
        "nobody",
        "another student",
        "an instructor",
        "the person",
        "an admin",
        "a service",
    ];
    for (number, (method, path, body, statuses)) in table.iter().enumerate() {
        for (name, status) in callers.iter().zip(statuses) {
            let token = token_of(*name, number);
            let mut request = platform.client().request(method.parse().unwrap(), path);
            if let Some(token) = token {
                request = request.bearer(token);
            }
            if matches!(*method, "PATCH" | "DELETE") {
                request = request.header("if-match", "*");
            }
            if let Some(body) = body {
                request = request.json(body);
                if path == BULK {
                    request = request.header("idempotency-key", name.replace(' ', "-"));
                }
            }
            let answer = request.send().await;
            assert_eq!(
                answer.status,
                *status,
                "{name}: {method} {path}: {}",
                answer.text()
            );
            if *status == 401 {
                let challenge = answer.header("www-authenticate").unwrap_or_default();
                assert!(challenge.starts_with("Bearer"), "{name}: {method} {path}");
            }
        }
    }
    let rows: Vec<_> = table.iter().map(|row| (row.0, row.1.as_str())).collect();
    assert_each_has_a_row::<App>(&rows);
}

#[tokio::test]
async fn a_token_that_does_not_count_is_refused_the_same_way_whatever_is_wrong() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let (issuer, client) = (issuer(), platform.client());
    let good = issuer.token(ada.id, Role::Student).sign();
    client
        .get("/users/me")
        .bearer(good)
        .send()
        .await
        .expect(200);
    let more = [
        ("a refresh token", ada.refresh_token.clone()),
        ("a service token", platform.app.token_of("course")),
    ];
    assert_refused_alike(client, "/users/me", &issuer, ada.id, &more).await;
}

/// Signs as the service under test does with its default key.
pub(crate) fn issuer() -> TestUsers {
    let seed = STANDARD.decode(DEVELOPMENT_SIGNING_KEY).unwrap();
    TestUsers::with_key(seed.try_into().unwrap())
}

#[tokio::test]
async fn a_token_of_somebody_who_is_gone_asks_them_to_sign_in() {
    let platform = Platform::start();
    let ghost = issuer().student(999_999_i64);
    let answer = platform
        .client()
        .get("/users/me")
        .bearer(&ghost)
        .send()
        .await;
    answer.expect(401).problem();
}

#[tokio::test]
async fn a_token_ends_and_begins_to_the_second() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    assert_counted_to_the_second(platform.client(), "/users/me", &issuer(), ada.id).await;
}

#[tokio::test]
async fn a_token_anywhere_but_in_its_header_is_none_and_is_not_written_down() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    assert_none_in_a_query(&platform.app, "/users/me", &ada.token).await;
}

#[tokio::test]
async fn logs_and_spans_hold_no_secret_and_no_personal_data() {
    let platform = Platform::start();
    platform
        .course
        .on("GET /users/{id}/courses")
        .always(Answer::status(500));
    let body = json!({"email": "countess@lovelace.example", "password": PASSWORD, "full_name": "Augusta Byron"});
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let traced = |path: &str| {
        let parent = format!("00-{trace}-00f067aa0ba902b7-01");
        platform.client().post(path).header("traceparent", parent)
    };
    traced("/users").json(&body).send().await.expect(201);
    traced("/users").json(&body).send().await.expect(409);
    let login = json!({"email": "countess@lovelace.example", "password": PASSWORD});
    let answer = traced("/auth/login").json(&login).send().await.expect(200);
    let session: Value = answer.json();
    let refresh = json!({"refresh_token": session["refresh_token"]});
    let refreshes = async |body: &Value| traced("/auth/refresh").json(body).send().await;
    let next: Value = refreshes(&refresh).await.expect(200).json();
    let next = json!({"refresh_token": next["refresh_token"]});
    refreshes(&refresh).await.expect(200);
    refreshes(&next).await.expect(200);
    refreshes(&refresh).await.expect(401);
    let wrong = json!({"email": "countess@lovelace.example", "password": "opensesame-opensesame"});
    traced("/auth/login").json(&wrong).send().await.expect(401);

    let captured = platform.app.captured();
    let said = format!(
        "{:?} {:?}",
        captured.wait_for_spans(trace, 6).await,
        captured.lines_of(trace)
    );
    for event in [
        "user.registered",
        "session.opened",
        "session.login_failed",
        "session.answer_repeated",
        "session.token_replayed",
    ] {
        assert!(said.contains(event), "{event} is told");
    }
    let secrets = ["access_token", "refresh_token"].map(|name| session[name].as_str().unwrap());
    let private = [
        "countess",
        "lovelace.example",
        "Augusta",
        "argon2",
        PASSWORD,
        "opensesame",
    ];
    for text in private.iter().chain(&secrets) {
        assert!(!said.contains(text), "{text} is told");
    }
}
