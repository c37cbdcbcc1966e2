//! A user service that gives no keys: nobody is let in, and never by a 500.

use lyceum_chassis::settings::Settings;
use lyceum_notification::App;
use lyceum_notification::settings::NotificationSettings;
use lyceum_testing::identity::TestUsers;
use lyceum_testing::peer::{Answer, DownPeer, Gate, ScriptedPeer};
use lyceum_testing::spawn::{TestApp, spawn};
use serde_json::json;

use crate::platform::STREAM;

const KEYS: &str = "GET /.well-known/jwks.json";

fn service(user: String) -> TestApp {
    spawn::<App>(|settings: &mut Settings<NotificationSettings>| {
        let upstream = &mut settings.service.upstreams.user;
        upstream.base_url = user;
        (
            upstream.connect_timeout_ms,
            upstream.attempt_timeout_ms,
            upstream.total_timeout_ms,
        ) = (500, 500, 1_000);
    })
}

/// What somebody with a good token is answered.
async fn status(app: &TestApp, tokens: &TestUsers, path: &str) -> u16 {
    let request = app.client().get(path).bearer(tokens.student(1));
    let answer = request.send().await;
    if answer.status != 200 {
        answer.problem();
    }
    answer.status
}

#[tokio::test]
async fn a_user_service_that_gives_no_keys_makes_a_gateway_problem() {
    let tokens = TestUsers::new();
    let never = Gate::closed();
    for (what, answer, expected) in [
        ("fails", Answer::status(500), 502),
        ("knows no such path", Answer::status(404), 502),
        ("sends a page", Answer::text(200, "<html>"), 502),
        (
            "is not HTTP",
            Answer::garbage("SSH-2.0-OpenSSH_9.6\r\n"),
            502,
        ),
        ("breaks off", Answer::reset(), 502),
        (
            "is silent",
            Answer::json(200, &json!({"keys": []})).held_by(&never),
            504,
        ),
    ] {
        let user = ScriptedPeer::start();
        user.on(KEYS).always(answer);
        let app = service(user.url());
        let path = if expected == 504 {
            "/notifications"
        } else {
            STREAM
        };
        assert_eq!(
            status(&app, &tokens, path).await,
            expected,
            "a peer that {what}"
        );
        // Services sign their tokens themselves: their door stays open.
        let count = app.client().get("/internal/users/1/unread-count");
        count.bearer(app.token_of("user")).send().await.expect(200);
    }
}

#[tokio::test]
async fn people_are_let_in_as_soon_as_the_user_service_is_up() {
    let down = DownPeer::hold();
    let app = service(down.url());
    let tokens = TestUsers::new();
    assert_eq!(status(&app, &tokens, "/notifications").await, 502);
    let user = down.come_up();
    user.on(KEYS).always(Answer::json(200, &tokens.jwks()));
    assert_eq!(status(&app, &tokens, "/notifications").await, 200);
    user.on(KEYS).always(Answer::status(500));
    assert_eq!(
        status(&app, &tokens, "/notifications").await,
        200,
        "known keys are kept"
    );
}
