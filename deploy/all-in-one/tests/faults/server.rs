//! A Postgres server that refuses, goes and comes back.

use std::time::Duration;

use lyceum_testing::PATIENCE;
use lyceum_testing::eventually;
use lyceum_testing::http::Client;
use lyceum_testing::people::PASSWORD;
use lyceum_testing::postgres::Server;
use tokio::time::Instant;

use crate::service::{Running, refusal, service};

const IDLE: &str = r#"db_client_connection_count{db_client_connection_pool_name="user",db_client_connection_state="idle""#;

#[tokio::test]
async fn a_server_that_says_no_is_not_waited_for() {
    let Some(server) = Server::start() else {
        return;
    };
    for (url, reason) in [
        (
            server.url_of("postgres", "hunter2", "postgres"),
            "password authentication failed",
        ),
        (server.url("absent"), "database \"absent\" does not exist"),
    ] {
        let asked = Instant::now();
        let launch = service("user")
            .setting("database.url", url)
            .setting("database.connect_timeout_ms", 600_000);
        let line = refusal(launch).await;
        assert!(asked.elapsed() < PATIENCE);
        assert!(
            line.starts_with("lyceum-user: cannot open the database "),
            "{line}"
        );
        assert!(line.contains("(setting `database.url`)"), "{line}");
        assert!(line.contains(reason), "{line}");
        for password in ["hunter2", Server::PASSWORD] {
            assert!(!line.contains(password), "{line}");
        }
    }
}

#[tokio::test]
async fn a_start_waits_for_a_server_that_is_still_starting() {
    let Some(mut server) = Server::start() else {
        return;
    };
    server.stop();
    let process = service("user")
        .setting("database.url", server.url("postgres"))
        .setting("database.connect_timeout_ms", 600_000)
        .start();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(process.lines().is_empty(), "{:?}", process.lines());
    server.resume();
    let ports = process.ports(PATIENCE).await;
    let ready = Client::new(ports.operations_url());
    ready.get("/health/ready").send().await.expect(200);
}

/// A service that waits so long for a connection, and somebody signed in.
async fn user(server: &Server, acquire_timeout_ms: u64) -> (Running, String) {
    let launch = service("user")
        .setting("database.url", server.url("postgres"))
        .setting("database.acquire_timeout_ms", acquire_timeout_ms)
        .setting("outbox.relay", false);
    let user = Running::start(launch).await;
    assert_eq!(user.registers("ada@example.org").await, 201);
    let token = user.signs_in("ada@example.org", PASSWORD).await.unwrap();
    (user, token)
}

/// Several requests at once, so that several connections are open and idle after them.
async fn at_once(user: &Running, token: &str) -> Vec<u16> {
    let me = || user.api.get("/users/me").bearer(token).send();
    let answers = tokio::join!(me(), me(), me());
    let answers: [_; 3] = answers.into();
    answers.map(|answer| answer.status).to_vec()
}

#[tokio::test]
async fn a_server_that_is_gone_is_503_until_it_is_back() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let (user, token) = user(&server, 3_000).await;
    assert_eq!(at_once(&user, &token).await, [200; 3]);
    assert!(user.metric(IDLE).await.unwrap() >= 1.0);

    server.stop();
    user.becomes(503, "unreachable").await;
    user.operations.get("/health/live").send().await.expect(200);
    assert_eq!(at_once(&user, &token).await, [503; 3]);
    assert_eq!(user.registers("grace@example.org").await, 503);
    assert_eq!(user.metric(IDLE).await, Some(0.0));
    let timeouts = "db_client_connection_timeouts_total{";
    assert!(user.metric(timeouts).await.unwrap() >= 4.0);

    server.resume();
    user.becomes(200, "ready").await;
    assert_eq!(at_once(&user, &token).await, [200; 3]);
    assert_eq!(user.registers("grace@example.org").await, 201);
    assert!(user.metric(IDLE).await.unwrap() >= 1.0);
    user.ends().await;
}

#[tokio::test]
async fn a_server_that_restarts_between_two_requests_is_not_noticed() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let (user, token) = user(&server, 20_000).await;
    for round in 0..3 {
        assert_eq!(at_once(&user, &token).await, [200; 3]);
        server.stop();
        server.resume();
        // A transaction, reads, the probe: each in turn is the first to meet a cut connection.
        match round {
            0 => assert_eq!(user.registers("grace@example.org").await, 201),
            1 => assert_eq!(at_once(&user, &token).await, [200; 3]),
            _ => assert_eq!(user.readiness().await, (200, "ready".to_owned())),
        }
    }
    let (email, password) = ("grace@example.org", PASSWORD);
    eventually("signed in", async || user.signs_in(email, password).await).await;
    user.ends().await;
}
