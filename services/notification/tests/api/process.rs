//! The service as a process of its own: what operators read of its streams, and how it leaves.

use std::time::Duration;

use lyceum_testing::PATIENCE;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::http::Client;
use lyceum_testing::identity::TestUsers;
use lyceum_testing::process::Process;
use tokio::time::{Instant, timeout};

use crate::platform::STREAM;

/// Less than the grace period, far less than a heartbeat.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn open_streams_are_counted_and_a_signal_ends_them_and_the_process() {
    let tokens = TestUsers::new();
    let users = tokens.serve();
    let database = TestDatabase::create();
    let mut process = Process::service(env!("CARGO_BIN_EXE_lyceum-notification"))
        .setting("database.url", database.url())
        .setting("database.min_connections", 0)
        .setting("upstreams.user.base_url", users.url())
        .start();
    let ports = process.ports(PATIENCE).await;
    let api = Client::new(ports.api_url());
    let operations = Client::new(ports.operations_url());

    let mut kept = api.sse(STREAM, &tokens.student(1), None).await;
    let left = api.sse(STREAM, &tokens.student(1), None).await;
    assert_eq!(open_streams(&operations).await, "2");
    assert!(
        metrics(&operations).await.lines().any(|line| line
            .starts_with("http_server_request_duration_seconds_count")
            && line.contains("/sse/notifications")
            && line.ends_with(" 2")),
        "the requests have ended, the streams go on"
    );
    drop(left);
    let noticed = timeout(PATIENCE, async {
        while open_streams(&operations).await != "1" {}
    });
    noticed.await.expect("a dead socket is noticed");

    let asked = Instant::now();
    process.terminate();
    while kept.next(AT_ONCE).await.is_some() {}
    assert!(asked.elapsed() < AT_ONCE);
    assert!(process.wait(PATIENCE).await.success());
}

async fn metrics(operations: &Client) -> String {
    operations.get("/metrics").send().await.expect(200).text()
}

async fn open_streams(operations: &Client) -> String {
    let metrics = metrics(operations).await;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("lyceum_live_streams{"));
    let line = line.unwrap_or_else(|| panic!("no gauge of streams in {metrics}"));
    line.rsplit(' ').next().unwrap().to_owned()
}
