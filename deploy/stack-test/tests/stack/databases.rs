//! A database per service: migrated once, and closed to everybody else.

use lyceum_stack_test::command::{docker, run};
use lyceum_stack_test::stack::SERVICES;
use lyceum_stack_test::{Stack, eventually};
use serde_json::Value;

/// A table of each service.
const TABLES: [&str; 3] = ["users", "courses", "notifications"];

/// A database for one test.
const EMPTY: &str = "empty";

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn the_apps_role_can_neither_change_tables_nor_look_next_door() {
    let stack = Stack::running().await;
    for (service, table) in SERVICES.into_iter().zip(TABLES) {
        let (role, password) = (format!("{service}_app"), format!("{service}-development"));
        let as_app =
            async |database: &str, sql: &str| stack.sql(&role, &password, database, sql).await;
        let rows = as_app(service, &format!("SELECT count(*) >= 0 FROM {table}")).await;
        assert_eq!(rows.as_deref(), Ok("t"));
        for refused in [
            "CREATE TABLE mine (id int)".to_owned(),
            "CREATE TEMPORARY TABLE mine (id int)".to_owned(),
            "CREATE SCHEMA mine".to_owned(),
            format!("ALTER TABLE {table} ADD COLUMN mine int"),
            format!("TRUNCATE {table}"),
            format!("DROP TABLE {table}"),
            "CREATE ROLE mine".to_owned(),
        ] {
            let error = as_app(service, &refused).await.expect_err(&refused);
            let expected = error.contains("permission denied") || error.contains("must be owner");
            assert!(expected, "{refused}: {error}");
            println!("{role}: {refused}: {error}");
        }
        for other in SERVICES.into_iter().chain(["postgres", "template1"]) {
            if other != service {
                let error = as_app(other, "SELECT 1").await.expect_err(other);
                assert!(error.contains("permission denied for database"), "{error}");
            }
        }
        let powers = "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls \
                      FROM pg_roles WHERE rolname = current_user";
        assert_eq!(as_app(service, powers).await.as_deref(), Ok("f"));
    }
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn two_replicas_on_an_empty_database_migrate_it_once() {
    let stack = Stack::running().await;
    let administrate = async |sql: &str| {
        let done = stack
            .sql("postgres", "lyceum-development", "postgres", sql)
            .await;
        done.expect("the administrator may")
    };
    administrate(&format!("DROP DATABASE IF EXISTS {EMPTY} WITH (FORCE)")).await;
    administrate(&format!("CREATE DATABASE {EMPTY} OWNER user_owner")).await;
    let url = format!(
        "LYCEUM__DATABASE__URL=postgres://user_owner:user-owner-development@postgres/{EMPTY}"
    );
    let replica = async || {
        let start = [
            "run",
            "--detach",
            "--no-deps",
            "--env",
            &url,
            "--env",
            "LYCEUM__DATABASE__MIGRATE_ON_START=true",
            "user",
        ];
        stack.compose(&start).await.trim().to_owned()
    };
    let (one, other) = tokio::join!(replica(), replica());

    let mut applied = Vec::new();
    for container in [&one, &other] {
        let migrated = eventually("migrated", async || {
            let log = run(docker().args(["logs", container])).await;
            let lines = log
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            lines
                .into_iter()
                .find(|line: &Value| line["event"] == "database.migrated")
        });
        applied.push(migrated.await["applied"].as_u64().unwrap_or_default());
    }
    run(docker().args(["rm", "--force", &one, &other])).await;
    let rows = "SELECT count(*) FROM seaql_migrations";
    let rows = stack
        .sql("user_owner", "user-owner-development", EMPTY, rows)
        .await;
    administrate(&format!("DROP DATABASE {EMPTY} WITH (FORCE)")).await;
    println!("applied: {applied:?}, recorded: {rows:?}");
    applied.sort_unstable();
    assert_eq!(applied[0], 0, "one finds nothing left to do");
    assert_eq!(rows, Ok(applied[1].to_string()));
}
