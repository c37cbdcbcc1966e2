//! Migrations are applied once, by whoever comes first, and readiness knows what is missing.

use std::time::Duration;

use lyceum_chassis::database::{Database, NotReady};
use lyceum_testing::database::{Engine, TestDatabase};
use sea_orm_migration::prelude::*;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::support::{Migrator, connect, insert_topic, scalar, settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_that_start_together_on_an_empty_database_migrate_it_once() {
    let place = TestDatabase::create();
    let mut replicas = JoinSet::new();
    for _ in 0..6 {
        let settings = settings(place.url());
        replicas.spawn(async move { Database::migrate::<Migrator>("test", &settings).await });
    }
    let mut applied = Vec::new();
    while let Some(outcome) = replicas.join_next().await {
        applied.push(outcome.unwrap().unwrap());
    }
    applied.sort_unstable();
    assert_eq!(applied, [0, 0, 0, 0, 0, 2]);

    let database = connect(&settings(place.url())).await;
    insert_topic(&database, "logic").await.unwrap();
    assert_eq!(
        scalar::<i64>(&database, "SELECT count(*) FROM seaql_migrations").await,
        2
    );
}

#[tokio::test]
async fn a_replica_waits_while_another_migrates_and_then_has_nothing_to_do() {
    let place = TestDatabase::create();
    let settings = settings(place.url());
    let mut first = std::pin::pin!(Database::migrate::<Slow>("test", &settings));
    let mut second = std::pin::pin!(Database::migrate::<Slow>("test", &settings));
    tokio::select! {
        _ = &mut first => panic!("the migration is held"),
        () = ENTERED.notified() => {}
    }
    let look = place.connect().await;
    tokio::select! {
        _ = &mut first => panic!("the migration is held"),
        _ = &mut second => panic!("the other one is at work"),
        () = ENTERED.notified() => panic!("two at work"),
        () = somebody_waits(&look, place.engine()) => {}
    }
    MAY_FINISH.notify_one();
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.unwrap(), second.unwrap()), (1, 0));
}

/// Postgres tells of sessions that wait; with `SQLite` a moment has to do.
async fn somebody_waits(look: &impl ConnectionTrait, engine: Engine) {
    let waiting = "SELECT count(*) FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event = 'advisory'";
    match engine {
        Engine::Postgres => while scalar::<i64>(look, waiting).await == 0 {},
        Engine::Sqlite => tokio::time::sleep(Duration::from_millis(100)).await,
    }
}

static ENTERED: Notify = Notify::const_new();
static MAY_FINISH: Notify = Notify::const_new();

/// Takes until the test lets it finish.
struct Slow;

impl MigratorTrait for Slow {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Held)]
    }
}

struct Held;

impl MigrationName for Held {
    fn name(&self) -> &'static str {
        "m0001_held"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Held {
    async fn up(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        ENTERED.notify_one();
        MAY_FINISH.notified().await;
        Ok(())
    }
}

#[tokio::test]
async fn readiness_names_what_is_pending_and_changes_nothing() {
    let place = TestDatabase::create();
    let mut later = settings(place.url());
    later.migrate_on_start = false;
    let database = connect(&later).await;
    for _ in 0..2 {
        let Err(NotReady::Pending(pending)) = database.ready().await else {
            panic!("an empty database is not ready");
        };
        assert_eq!(pending, ["m0001_topics", "m0002_notes"]);
    }
    Database::migrate::<Migrator>("test", &later).await.unwrap();
    database.ready().await.unwrap();
    assert_eq!(database.pending().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn an_older_release_starts_beside_a_newer_one() {
    let place = TestDatabase::create();
    connect(&settings(place.url())).await;
    let older = Database::connect::<Older>("test", &settings(place.url()))
        .await
        .unwrap();
    older.ready().await.unwrap();
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_of_itself_and_frees_the_lock() {
    let place = TestDatabase::create();
    let failed = Database::connect::<Broken>("test", &settings(place.url())).await;
    let message = failed.unwrap_err().to_string();
    assert!(
        message.starts_with("cannot migrate the database"),
        "{message}"
    );

    let database = connect(&settings(place.url())).await;
    insert_topic(&database, "logic").await.unwrap();
}

struct Older;

impl MigratorTrait for Older {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        Migrator::migrations().into_iter().take(1).collect()
    }
}

/// Creates one of [`Migrator`]'s tables, then stumbles.
struct Broken;

impl MigratorTrait for Broken {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Stumble)]
    }
}

struct Stumble;

impl MigrationName for Stumble {
    fn name(&self) -> &'static str {
        "m0001_stumble"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Stumble {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection
            .execute_unprepared("CREATE TABLE topics (id integer)")
            .await?;
        connection
            .execute_unprepared("CREATE TABLE topics (id integer)")
            .await?;
        Ok(())
    }
}
