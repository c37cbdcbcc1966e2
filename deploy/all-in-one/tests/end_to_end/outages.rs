//! The bad hours: a service dies, the others answer, and all heals.

use std::time::Duration;

use lyceum_testing::PATIENCE;
use lyceum_testing::eventually;
use serde_json::Value;

use crate::platform::{Platform, timed};

/// What the overview may take with a peer gone: its calls' total timeout and some slack for a
/// loaded machine; far below the 30 s of a request.
const IN_TIME: Duration = Duration::from_secs(5);

#[tokio::test]
async fn without_course_the_overview_says_what_is_missing_and_heals() {
    let mut platform = Platform::start().await;
    let ada = platform.people.register("Ada").await;
    assert_eq!(platform.people.overview(&ada).await.degraded, Vec::new());

    platform.course.kill().await;
    let (answer, took) = timed(platform.people.ask_overview(&ada)).await;
    let overview: lyceum_contracts::user::Overview = answer.expect(200).json();
    assert!(took < IN_TIME, "{took:?}");
    let mut parts: Vec<_> = overview
        .degraded
        .iter()
        .map(|gap| gap.part.as_str())
        .collect();
    parts.sort_unstable();
    assert_eq!(parts, ["courses", "stats"]);
    assert!((overview.courses.is_empty(), overview.stats) == (true, None));
    assert_eq!(
        overview.unread,
        Some(0),
        "the part that can be had is there"
    );

    platform.course.start().await;
    eventually("whole again", async || {
        platform
            .people
            .overview(&ada)
            .await
            .degraded
            .is_empty()
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_dead_peer_opens_its_breaker_where_operators_look() {
    let mut platform = Platform::start_with(
        "user",
        &[
            ("upstreams.course.breaker.open_ms", "60000"),
            ("upstreams.course.breaker.max_open_ms", "60000"),
        ],
    )
    .await;
    let ada = platform.people.register("Ada").await;
    platform.course.kill().await;
    let open = eventually("open", async || {
        let degraded = platform.people.overview(&ada).await.degraded;
        degraded
            .iter()
            .any(|gap| gap.reason == "circuit_open")
            .then_some(())
    });
    open.await;
    let breakers: Value = platform
        .user
        .operations
        .get("/debug/breakers")
        .send()
        .await
        .json();
    let course = breakers
        .as_array()
        .unwrap()
        .iter()
        .find(|breaker| breaker["upstream"] == "course");
    assert_eq!(course.expect("listed")["state"], "open", "{breakers}");
    let metrics = platform.user.operations.get("/metrics").send().await.text();
    let state = metrics.lines().find(|line| {
        line.starts_with("lyceum_client_breaker_state") && line.contains("upstream=\"course\"")
    });
    assert!(state.is_some_and(|line| line.ends_with(" 2")), "{state:?}");
    let opened = platform
        .user
        .process()
        .wait_for_event("breaker.opened", PATIENCE)
        .await;
    assert_eq!(opened["level"], "WARN", "{opened}");
}

#[tokio::test]
async fn what_happened_while_notification_was_dead_is_told_once() {
    let mut platform = Platform::start().await;
    let ines = platform.people.instructor("Ines").await;
    let course = platform.people.published_course(&ines, "Logic").await;
    let ada = platform.people.register("Ada").await;

    platform.notification.kill().await;
    platform.people.enrol(&ada, course).await;
    assert_eq!(platform.people.overview(&ada).await.unread, None);

    platform.notification.start().await;
    let mut stream = platform
        .notification
        .api
        .sse("/sse/notifications?last_event_id=0", &ada.token, None)
        .await;
    loop {
        let message = stream.next_event(PATIENCE).await;
        if message.event.as_deref() == Some("notification") {
            assert_eq!(message.id.as_deref(), Some("1"));
            break;
        }
    }
    // The next thing told is the next thing that happened: the first was told once.
    let second = platform.people.published_course(&ines, "Rhetoric").await;
    platform.people.enrol(&ada, second).await;
    let next = stream.next_event(PATIENCE).await;
    assert_eq!(next.id.as_deref(), Some("2"));
    assert!(next.data.unwrap().contains("Rhetoric"));
}

#[tokio::test]
async fn course_killed_after_the_commit_still_tells() {
    let mut platform = Platform::start().await;
    let ines = platform.people.instructor("Ines").await;
    let course = platform.people.published_course(&ines, "Logic").await;
    let ada = platform.people.register("Ada").await;
    platform.notification.kill().await;
    platform.people.enrol(&ada, course).await;
    platform.course.kill().await;
    platform.notification.start().await;
    platform.course.start().await;
    eventually("told", async || {
        (platform.people.overview(&ada).await.unread == Some(1)).then_some(())
    })
    .await;
}
