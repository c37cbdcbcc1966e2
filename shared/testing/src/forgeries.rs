//! Access tokens that must not count, and the check that they are refused all alike.
//!
//! One list for every service: a forgery that one of them learns to refuse is tried on all.
//!
//! ```ignore
//! forgeries::assert_refused_alike(app.client(), "/users/me", &users, 7, &[("a refresh token", spent)]).await;
//! ```

use lyceum_contracts::role::Role;
use serde_json::Value;

use crate::http::Client;
use crate::identity::{TestUsers, seconds_since_1970};
use crate::spawn::TestApp;

/// What two clocks may differ by, in seconds: an access token counts for so long after its end,
/// and before its beginning.
const LEEWAY_S: i64 = 30;

/// The year 2100, in seconds since 1970.
const FAR_AHEAD: u64 = 4_102_444_800;

/// Every way we know to get an access token of `user` wrong, by name.
fn of(users: &TestUsers, user: i64) -> Vec<(&'static str, String)> {
    let token = || users.token(user, Role::Student);
    let stranger = TestUsers::new();
    let foreign_keys = "http://127.0.0.1:1/";
    let jku = stranger
        .token(user, Role::Admin)
        .parameter("jku", foreign_keys);
    vec![
        ("alg none", token().unsigned()),
        ("signed with the public key", token().sign_with_public_key()),
        ("signed by a stranger", token().sign_as_stranger()),
        ("of another issuer's key", stranger.student(user)),
        ("unknown kid", token().parameter("kid", "stray").sign()),
        ("no kid", token().parameter("kid", Value::Null).sign()),
        ("jku header", jku.sign()),
        ("id token", token().parameter("typ", "JWT").sign()),
        ("no type", token().parameter("typ", Value::Null).sign()),
        ("expired", token().expired().sign()),
        ("not yet", token().claim("nbf", FAR_AHEAD).sign()),
        ("without end", token().claim("exp", Value::Null).sign()),
        ("another audience", token().claim("aud", "other").sign()),
        ("another issuer", token().claim("iss", "other").sign()),
        ("no subject", token().claim("sub", Value::Null).sign()),
        (
            "subject of no kind",
            token().claim("sub", "1' OR '1'='1").sign(),
        ),
        ("no session", token().claim("sid", Value::Null).sign()),
        ("no version", token().claim("ver", Value::Null).sign()),
        ("unknown role", token().claim("role", "root").sign()),
        ("not a token", "abc".to_owned()),
    ]
}

/// `path` refuses each of them, and `more`, with the same 401: nobody learns what was wrong.
///
/// Let the service know the right keys first, by one good request.
///
/// # Panics
/// When one is not refused so: with its name.
pub async fn assert_refused_alike(
    client: &Client,
    path: &str,
    users: &TestUsers,
    user: impl Into<i64>,
    more: &[(&'static str, String)],
) {
    let mut wrong = of(users, user.into());
    wrong.extend_from_slice(more);
    let mut problems = Vec::new();
    for (name, token) in wrong {
        let answer = client.get(path).bearer(token).send().await;
        assert_eq!(answer.status, 401, "{name}: {path}: {}", answer.text());
        let challenge = answer.header("www-authenticate");
        assert_eq!(
            challenge,
            Some("Bearer error=\"invalid_token\""),
            "{name}: {path}"
        );
        let problem = answer.problem();
        assert_eq!(problem.detail, None, "{name}: {path}: the answer says why");
        problems.push((problem.r#type, problem.title));
    }
    problems.dedup();
    assert_eq!(problems.len(), 1, "{path}: {problems:?}");
}

/// `path` counts the end and the beginning of a token to the second, give or take half a minute by
/// which two clocks may differ.
///
/// # Panics
/// When a token counts a second longer or earlier, or a second less.
pub async fn assert_counted_to_the_second(
    client: &Client,
    path: &str,
    users: &TestUsers,
    user: impl Into<i64>,
) {
    let user = user.into();
    for (name, from_now, status) in [
        ("exp", -LEEWAY_S, 200),
        ("exp", -LEEWAY_S - 1, 401),
        ("nbf", LEEWAY_S, 200),
        ("nbf", LEEWAY_S + 1, 401),
    ] {
        // Once more when a second has begun meanwhile: nobody knows in which of the two it was
        // looked at.
        let answer = loop {
            let now = seconds_since_1970();
            let at = now.saturating_add_signed(from_now);
            let token = users.token(user, Role::Student).claim(name, at);
            let answer = client.get(path).bearer(token.sign()).send().await;
            if seconds_since_1970() == now {
                break answer;
            }
        };
        let text = answer.text();
        assert_eq!(answer.status, status, "{name} {from_now} s: {path}: {text}");
    }
}

/// A token that would count in its header does not count in the query of `path`, from where it
/// would come to stand in logs; and this one stands in no line and no span of the test's process.
///
/// # Panics
/// When it counts there, or was written down.
pub async fn assert_none_in_a_query(app: &TestApp, path: &str, token: &str) {
    for name in ["access_token", "token"] {
        let path = format!("{path}?{name}={token}");
        let answer = app.client().get(&path).send().await;
        assert_eq!(answer.status, 401, "{name}: {}", answer.text());
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge, Some("Bearer"), "{name}: no token has come");
    }
    let captured = app.captured();
    let lines = captured.lines();
    assert!(!lines.is_empty(), "the log is captured");
    let spans = captured.all_spans();
    let written = format!("{lines:?} {spans:?}");
    assert!(!written.contains(token), "the token is written down");
}
