//! How long a request may take, and who decides.

use std::time::Duration;

use lyceum_testing::spawn;

use crate::bakery::{Bakery, open};

#[tokio::test]
async fn a_request_that_takes_too_long_is_408() {
    let bakery = spawn::<Bakery>(|settings| settings.platform.http.request_timeout_ms = 50);
    let answer = bakery.client().get("/dough").send().await.expect(408);
    assert_eq!(answer.problem().r#type, "/problems/request-timeout");
    bakery.client().get("/health").send().await.expect(200);
}

#[tokio::test]
async fn the_caller_may_grant_less_and_never_more() {
    let bakery = spawn::<Bakery>(|settings| settings.platform.http.request_timeout_ms = 100);
    let granted = |path, millis| {
        bakery
            .client()
            .get(path)
            .header("x-deadline-ms", millis)
            .send()
    };
    granted("/dough", "20").await.expect(408);
    granted("/dough", "3600000").await.expect(408);
    granted("/health", "20000").await.expect(200);
    granted("/health", "0").await.expect(408);
    for nonsense in ["soon", "-1", "1.5", "99999999999999999999"] {
        let answer = granted("/health", nonsense).await.expect(400);
        assert!(
            answer.problem().detail.unwrap().contains("X-Deadline-Ms"),
            "{nonsense}"
        );
    }
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_refused_before_any_work() {
    let bakery = open();
    // Its handler does nothing but panic.
    let late = bakery.client().get("/fire").header("x-deadline-ms", 0);
    let problem = late.send().await.expect(408).problem();
    assert_eq!(problem.r#type, "/problems/request-timeout");
    assert!(problem.detail.unwrap().contains("nobody waits"));
}

/// A caller that gives up one of many streams on a connection is not seen to leave, so there are
/// no such connections.
#[tokio::test]
async fn http_2_is_not_offered() {
    let bakery = open();
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let answer = bakery
        .client()
        .try_raw(preface, Duration::from_secs(10))
        .await;
    assert!(answer.is_none_or(|answer| answer.status == 400));
    let upgrade = "GET /health HTTP/1.1\r\nhost: b\r\nconnection: upgrade, http2-settings\r\n\
                   upgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n";
    let answer = bakery.client().raw(upgrade).await;
    assert_eq!((answer.status, answer.header("upgrade")), (200, None));
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off_and_delays_nobody() {
    let bakery = spawn::<Bakery>(|settings| settings.platform.http.head_timeout_ms = 1_000);
    let dribble = bakery
        .client()
        .try_raw("GET /health HTT", Duration::from_secs(10))
        .await;
    assert!(
        dribble.is_none_or(|answer| answer.status == 408),
        "closed, or told 408"
    );
    bakery.client().get("/health").send().await.expect(200);
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off_like_any_slow_request() {
    let bakery = spawn::<Bakery>(|settings| settings.platform.http.request_timeout_ms = 200);
    for path in ["/loaves", "/bell"] {
        let begun = format!(
            "POST {path} HTTP/1.1\r\nhost: b\r\ncontent-type: application/json\r\n\
             content-length: 1000\r\n\r\n{{\"name\":"
        );
        let answer = bakery.client().raw(begun).await;
        assert_eq!(answer.status, 408, "{path}");
    }
}

#[tokio::test]
async fn thirty_seconds_is_what_a_request_gets_by_default() {
    let bakery = open();
    let settings = bakery.operations().get("/debug/settings").send().await;
    let settings: serde_json::Value = settings.json();
    assert_eq!(settings["http"]["request_timeout_ms"], 30_000);
}
