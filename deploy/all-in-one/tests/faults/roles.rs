//! Roles as the stack has them: the owner migrates, the service has the rows and nothing else.

use std::path::Path;
use std::process::Command;

use lyceum_testing::PATIENCE;
use lyceum_testing::eventually;
use lyceum_testing::postgres::Server;
use lyceum_testing::process::Launch;
use serde_json::{Value, json};

use crate::service::{ADMIN, NAMES, Running, refusal, service};

/// Makes databases and roles by the stack's own script; the password of a role is its name.
fn bootstrap(server: &Server) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../postgres/bootstrap.sh");
    let mut command = Command::new("sh");
    command
        // The server's own psql first: one of another version may be in the path, or none.
        .args(["-c", r#"PATH="$PROGRAMS:$PATH" exec sh "$0""#])
        .arg(script)
        .env("PROGRAMS", server.programs())
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", server.port().to_string())
        .env("PGUSER", "postgres")
        .env("PGPASSWORD", Server::PASSWORD);
    for name in NAMES {
        let variable = name.to_uppercase();
        command
            .env(format!("{variable}_OWNER_PASSWORD"), owner(name))
            .env(format!("{variable}_PASSWORD"), app(name));
    }
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

fn owner(name: &str) -> String {
    format!("{name}_owner")
}

fn app(name: &str) -> String {
    format!("{name}_app")
}

/// The service's database as one of its roles.
fn url(server: &Server, name: &str, role: &str) -> String {
    server.url_of(role, role, name)
}

fn migrate(server: &Server, name: &str) -> Launch {
    let url = url(server, name, &owner(name));
    service(name).arg("migrate").setting("database.url", url)
}

#[tokio::test]
async fn services_work_with_roles_that_may_only_read_and_write_rows() {
    let Some(server) = Server::start() else {
        return;
    };
    bootstrap(&server);
    for name in NAMES {
        let mut migrate = migrate(&server, name).start();
        assert!(migrate.wait(PATIENCE).await.success());
    }
    bootstrap(&server);
    let (user, course, notification) = start_as_apps(&server).await;

    assert_eq!(user.registers("ada@example.org").await, 201);
    let (email, password) = ADMIN;
    let admin = user.signs_in(email, password).await.unwrap();
    let logic = course.api.post("/courses").bearer(&admin);
    let logic = logic.json(&json!({"title": "Logic"})).send().await;
    let logic = logic.expect(201).json::<Value>()["id"].clone();
    let publish = format!("/courses/{logic}/publish");
    let publish = course.api.post(&publish).bearer(&admin).send().await;
    publish.expect(200);
    let ada = user
        .signs_in("ada@example.org", lyceum_testing::people::PASSWORD)
        .await;
    let ada = ada.unwrap();
    let enrol = format!("/courses/{logic}/enrolments");
    let enrol = course.api.post(&enrol).bearer(&ada).send().await;
    enrol.expect(201);
    eventually("told", async || {
        let unread = "/notifications/unread-count";
        let unread = notification.api.get(unread).bearer(&ada).send().await;
        let unread: Value = unread.expect(200).json();
        unread["unread"].as_u64().filter(|unread| *unread > 0)
    })
    .await;
    for service in [user, course, notification] {
        let log = service.process.log();
        let failed = log.iter().find(|line| line["level"] == "ERROR");
        assert_eq!(failed, None);
        service.ends().await;
    }
    apps_may_do_nothing_else(&server);
}

/// All three, each with the other two as its peers.
async fn start_as_apps(server: &Server) -> (Running, Running, Running) {
    let launch = |name: &str| {
        service(name)
            .setting("database.url", url(server, name, &app(name)))
            .setting("database.migrate_on_start", false)
    };
    let user = Running::start(launch("user").setting("outbox.relay", false)).await;
    let knows = |launch: Launch, peer: &str, at: &Running| {
        launch.setting(&format!("upstreams.{peer}.base_url"), at.api.base_url())
    };
    let notification = launch("notification").setting("mail.run", false);
    let notification = Running::start(knows(notification, "user", &user)).await;
    let course = knows(launch("course"), "user", &user);
    let course = Running::start(knows(course, "notification", &notification)).await;
    (user, course, notification)
}

fn apps_may_do_nothing_else(server: &Server) {
    let tables = [
        ("user", "users"),
        ("course", "courses"),
        ("notification", "notifications"),
    ];
    for (name, table) in tables {
        let own = url(server, name, &app(name));
        assert!(
            server
                .query(&own, &format!("SELECT * FROM {table}"))
                .is_ok()
        );
        for statement in [
            "CREATE TABLE mine (id int)".to_owned(),
            "CREATE SCHEMA mine".to_owned(),
            "CREATE TEMPORARY TABLE mine (id int)".to_owned(),
            "CREATE DATABASE mine".to_owned(),
            "CREATE ROLE mine".to_owned(),
            format!("ALTER TABLE {table} ADD COLUMN mine int"),
            format!("TRUNCATE {table}"),
            format!("DROP TABLE {table}"),
        ] {
            let refused = server.query(&own, &statement).unwrap_err();
            let by_rights =
                refused.contains("permission denied") || refused.contains("must be owner");
            assert!(by_rights, "{statement}: {refused}");
        }
        for (other, _) in tables.iter().filter(|(other, _)| *other != name) {
            for role in [app(name), owner(name)] {
                let refused = server.query(&url(server, other, &role), "SELECT 1");
                let refused = refused.unwrap_err();
                assert!(
                    refused.contains("permission denied for database"),
                    "{refused}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_role_that_may_not_migrate_is_told_who_may() {
    let Some(server) = Server::start() else {
        return;
    };
    bootstrap(&server);
    let as_app =
        || service("course").setting("database.url", url(&server, "course", &app("course")));
    for launch in [as_app(), as_app().arg("migrate")] {
        let line = refusal(launch).await;
        assert!(
            line.starts_with("lyceum-course: cannot migrate the database course "),
            "{line}"
        );
        assert!(
            line.contains("permission denied for schema public"),
            "{line}"
        );
        let advice = "run `lyceum-course migrate` with its owner's URL";
        assert!(line.contains(advice), "{line}");
        assert!(!line.contains(":course_app@"), "{line}");
    }
    // What is migrated need not be migrated: the default of `migrate_on_start` is no harm then.
    let mut migrate = migrate(&server, "course").start();
    assert!(migrate.wait(PATIENCE).await.success());
    let course = Running::start(as_app()).await;
    course.becomes(200, "ready").await;
    course.ends().await;
}
