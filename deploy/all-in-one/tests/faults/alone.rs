//! A service whose peers and collector are away from the first moment on.

use std::time::Duration;

use lyceum_testing::database::TestDatabase;
use lyceum_testing::peer::DownPeer;
use lyceum_testing::people::PASSWORD;
use serde_json::Value;
use tokio::time::Instant;

use crate::service::{Running, service};

#[tokio::test]
async fn without_peers_and_collector_it_starts_answers_and_ends() {
    let database = TestDatabase::create();
    let (course, notification, collector) = (DownPeer::hold(), DownPeer::hold(), DownPeer::hold());
    let launch = service("user")
        .setting("database.url", database.url())
        .setting("upstreams.course.base_url", course.url())
        .setting("upstreams.notification.base_url", notification.url())
        .setting("telemetry.otlp_endpoint", collector.url())
        .setting("telemetry.export_interval_ms", 50);
    let user = Running::start(launch).await;
    user.becomes(200, "ready").await;
    assert_eq!(user.registers("ada@example.org").await, 201);
    let token = user.signs_in("ada@example.org", PASSWORD).await.unwrap();
    let me: Value = user.api.get("/users/me").bearer(&token).send().await.json();
    let path = format!("/users/{}/overview", me["id"]);
    let asked = Instant::now();
    let overview = user.api.get(&path).bearer(&token).send().await.expect(200);
    assert!(asked.elapsed() < Duration::from_secs(5));
    let degraded = overview.json::<Value>()["degraded"].clone();
    assert_eq!(degraded.as_array().unwrap().len(), 3, "{degraded}");
    assert_eq!(user.readiness().await, (200, "ready".to_owned()));
    user.ends().await;
}
