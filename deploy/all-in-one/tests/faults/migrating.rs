//! Schemas: made once however many make them, and waited for by a service that may not.

use lyceum_testing::PATIENCE;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::eventually;
use lyceum_testing::process::{Launch, Process};
use serde_json::Value;

use crate::service::{ADMIN, NAMES, Running, service};

fn migrate(name: &str, database: &TestDatabase) -> Launch {
    let url = database.url();
    service(name).arg("migrate").setting("database.url", url)
}

/// How many migrations a `migrate` says it has applied, once it has ended well.
async fn applied(mut migrate: Process) -> u64 {
    assert!(migrate.wait(PATIENCE).await.success());
    let log = migrate.log();
    let told = log.iter().find(|line| line["event"] == "database.migrated");
    told.expect("a line that says so")["applied"]
        .as_u64()
        .unwrap()
}

#[tokio::test]
async fn two_that_migrate_an_empty_database_at_once_do_it_once() {
    for name in NAMES {
        let database = TestDatabase::create();
        let (one, other) = (
            migrate(name, &database).start(),
            migrate(name, &database).start(),
        );
        let (one, other) = (applied(one).await, applied(other).await);
        assert_eq!((one.min(other), one.max(other) > 0), (0, true), "{name}");
        assert_eq!(applied(migrate(name, &database).start()).await, 0);
    }
}

#[tokio::test]
async fn a_service_without_its_tables_waits_for_them_and_needs_no_restart() {
    let database = TestDatabase::create();
    let launch = service("user")
        .setting("database.url", database.url())
        .setting("database.migrate_on_start", false)
        // The admin is asked for again and again until there is one.
        .setting("limits.login_per_address.quota", 100_000)
        .setting("limits.login_per_account.quota", 100_000);
    let user = Running::start(launch).await;
    user.api.get("/health").send().await.expect(200);
    assert_eq!(
        user.readiness().await,
        (503, "migrations_pending".to_owned())
    );
    let answer = user.api.get("/.well-known/jwks.json").send().await;
    assert_eq!(answer.expect(503).header("retry-after"), Some("1"));
    assert_eq!(user.registers("ada@example.org").await, 503);

    assert!(applied(migrate("user", &database).start()).await > 0);
    user.becomes(200, "ready").await;
    assert_eq!(user.registers("ada@example.org").await, 201);
    let (email, password) = ADMIN;
    eventually("an admin", async || user.signs_in(email, password).await).await;
    let log = user.process.log();
    let failed = log.iter().find(|line| line["event"] == "http.failed");
    assert_eq!(failed, None::<&Value>, "no fault of ours");
    user.ends().await;
}
