//! A database that cannot be used is one clear line for the person who starts the service.

use std::net::TcpListener;

use lyceum_chassis::database::{Database, DatabaseSettings};
use lyceum_testing::database::{Engine, TestDatabase};

use crate::support::{Migrator, connect, insert_topic, settings};

async fn refusal(settings: &DatabaseSettings) -> String {
    let error = Database::connect::<Migrator>("test", settings)
        .await
        .unwrap_err();
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

#[tokio::test]
async fn a_url_that_is_none_names_its_setting_and_keeps_the_password() {
    for url in [
        "",
        "user.db",
        "mysql://a:hunter2@b/c",
        "postgres://a:hunter2@:x/c",
    ] {
        let line = refusal(&settings(url)).await;
        assert!(
            line.contains("database.url") && !line.contains("hunter2"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_database_in_memory_is_refused() {
    for url in ["sqlite::memory:", "sqlite://x?mode=memory"] {
        let line = refusal(&settings(url)).await;
        assert!(line.contains("name a file"), "{line}");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let in_missing = folder.path().join("mistyped/deep/user.db");
    let under_a_file = folder.path().join("file/user.db");
    std::fs::write(folder.path().join("file"), "").unwrap();
    for path in [in_missing, under_a_file] {
        let path = path.display().to_string();
        let line = refusal(&settings(&format!("sqlite://{path}?mode=rwc"))).await;
        assert!(
            line.contains(&path) && line.contains("cannot write"),
            "{line}"
        );
    }
    let missing = folder.path().join("user.db").display().to_string();
    let line = refusal(&settings(&format!("sqlite://{missing}?mode=rw"))).await;
    assert!(line.contains(&missing), "{line}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt").display().to_string();
    std::fs::write(
        &path,
        "a text, and a long one, so that nobody takes it for a new file",
    )
    .unwrap();
    let line = refusal(&settings(&format!("sqlite://{path}?mode=rwc"))).await;
    assert!(
        line.contains(&path) && line.contains("not a database"),
        "{line}"
    );
}

#[tokio::test]
async fn a_first_start_makes_the_folder_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/user.db");
    let database = connect(&settings(&format!("sqlite://{}?mode=rwc", path.display()))).await;
    insert_topic(&database, "logic").await.unwrap();
    database.close().await;
    assert!(path.is_file());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_after_the_patience_of_the_settings() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut impatient = settings(&format!("postgres://ada:hunter2@127.0.0.1:{port}/user"));
    impatient.connect_timeout_ms = 300;
    let line = refusal(&impatient).await;
    let target = format!("user at 127.0.0.1:{port} as ada");
    assert!(line.contains(&target) && line.contains("refused"), "{line}");
    assert!(!line.contains("hunter2"), "{line}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut impatient = settings(&format!("postgres://ada:hunter2@127.0.0.1:{port}/user"));
    impatient.connect_timeout_ms = 100;
    let line = refusal(&impatient).await;
    assert!(line.contains("no answer within 100ms"), "{line}");
}

#[tokio::test]
async fn a_server_that_says_no_is_quoted_without_the_password() {
    if Engine::chosen() != Engine::Postgres {
        return;
    }
    let place = TestDatabase::create();
    let (_, address) = place.url().rsplit_once('@').unwrap();
    let stranger = format!("postgres://nobody_we_know:hunter2@{address}");
    let line = refusal(&settings(&stranger)).await;
    assert!(
        line.contains("nobody_we_know") && !line.contains("hunter2"),
        "{line}"
    );
    let missing = format!("{}_missing", place.url());
    let line = refusal(&settings(&missing)).await;
    assert!(line.contains("does not exist"), "{line}");
}

#[tokio::test]
async fn numbers_no_pool_can_work_with_name_their_setting() {
    let folder = tempfile::tempdir().unwrap();
    let usable = settings(&format!(
        "sqlite://{}/a.db?mode=rwc",
        folder.path().display()
    ));
    let cases = [
        (
            "database.max_connections",
            DatabaseSettings {
                max_connections: 0,
                ..usable.clone()
            },
        ),
        (
            "database.min_connections",
            DatabaseSettings {
                min_connections: 9,
                ..usable.clone()
            },
        ),
        (
            "database.acquire_timeout_ms",
            DatabaseSettings {
                acquire_timeout_ms: 0,
                ..usable.clone()
            },
        ),
        (
            "database.connect_timeout_ms",
            DatabaseSettings {
                connect_timeout_ms: 0,
                ..usable
            },
        ),
    ];
    for (key, settings) in cases {
        assert!(refusal(&settings).await.contains(key));
    }
}
