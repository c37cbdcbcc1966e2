//! Starts that must fail, on either engine: what is wrong stands in one line.

use std::net::TcpListener;
use std::time::Duration;

use lyceum_testing::peer::DownPeer;
use tokio::time::Instant;

use crate::service::{NAMES, refusal, service};

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_its_setting() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    for key in ["http.port", "operations.port"] {
        let line = refusal(service("course").setting(key, port)).await;
        let named = format!(
            "lyceum-course: cannot listen on 127.0.0.1:{port} (setting `{key}`): Address already"
        );
        assert!(line.starts_with(&named), "{line}");
    }
}

#[tokio::test]
async fn production_refuses_secrets_that_are_missing_or_everybodys() {
    for name in NAMES {
        for launch in [
            service(name),
            service(name).setting("service_auth.secrets", ""),
        ] {
            let line = refusal(launch.setting("environment", "production")).await;
            let named = format!("lyceum-{name}: setting `service_auth.secrets`: ");
            assert!(line.starts_with(&named), "{line}");
        }
    }
    let user = || {
        service("user")
            .setting("environment", "production")
            .setting("service_auth.secrets", "s".repeat(32))
    };
    let signing_key = "bm90LXRoZS1kZXZlbG9wbWVudC1zaWduaW5nLWtleSE=";
    for (launch, key) in [
        (user(), "tokens.signing_key"),
        (
            user().setting("tokens.signing_key", ""),
            "tokens.signing_key",
        ),
        (
            user().setting("tokens.signing_key", signing_key),
            "admin.password",
        ),
        (
            user()
                .setting("tokens.signing_key", signing_key)
                .setting("admin.password", ""),
            "admin.password",
        ),
    ] {
        let line = refusal(launch).await;
        let named = format!("lyceum-user: setting `{key}`: ");
        assert!(line.starts_with(&named), "{line}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_waited_for_and_then_named() {
    let down = DownPeer::hold();
    let address = down.url().replace("http://", "");
    let asked = Instant::now();
    let launch = service("user")
        .setting(
            "database.url",
            format!("postgres://ada:hunter2@{address}/user"),
        )
        .setting("database.connect_timeout_ms", 1_000);
    let line = refusal(launch).await;
    // The last look is taken no later than the patience ends, and a pause sooner at most.
    assert!(asked.elapsed() >= Duration::from_millis(700));
    let named = format!(
        "lyceum-user: cannot open the database user at {address} as ada (setting `database.url`)"
    );
    assert!(line.starts_with(&named), "{line}");
    assert!(!line.contains("hunter2"), "{line}");
}

#[tokio::test]
async fn the_database_of_a_service_that_cannot_be_used_ends_migrate_too() {
    let down = DownPeer::hold();
    let url = format!(
        "postgres://ada:hunter2@{}/user",
        &down.url()["http://".len()..]
    );
    let launch = service("user")
        .setting("database.url", url)
        .setting("database.connect_timeout_ms", 100)
        .arg("migrate");
    let line = refusal(launch).await;
    let named = line.starts_with("lyceum-user: cannot open the database");
    assert!(named && !line.contains("hunter2"), "{line}");
}

#[tokio::test]
async fn a_file_in_a_folder_that_is_read_only_is_named() {
    // The superuser may write everywhere but in /proc.
    let line = refusal(service("course").setting("database.url", "sqlite:///proc/a.db?mode=rwc"));
    let line = line.await;
    let named = "lyceum-course: setting `database.url`: cannot write /proc/a.db: ";
    assert!(line.starts_with(named), "{line}");
}
