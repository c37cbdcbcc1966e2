//! Who may write when, and what a caller is told when it cannot.

use std::sync::Arc;

use lyceum_chassis::database::{Engine, is_unavailable};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel, QuerySelect,
};
use tokio::task::JoinSet;

use crate::support::{
    connect, database, first_note, insert_note, insert_topic, note, per_engine, scalar, settings,
};

const COUNT_TOPICS: &str = "SELECT count(*) FROM topics";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_writers_at_once_all_have_their_effect() {
    let (database, _place) = database().await;
    let topic_id = insert_topic(&database, "logic").await.unwrap();
    insert_note(
        &database,
        note::Model {
            body: "0".to_owned(),
            ..first_note(topic_id)
        },
    )
    .await
    .unwrap();

    let database = Arc::new(database);
    let mut writers = JoinSet::new();
    for _ in 0..100 {
        let database = Arc::clone(&database);
        writers.spawn(async move {
            let transaction = database.begin_write().await?;
            let note = note::Entity::find()
                .lock_exclusive()
                .one(&transaction)
                .await?
                .expect("the note");
            let count: u32 = note.body.parse().expect("a number");
            let mut note = note.into_active_model();
            note.body = Set((count + 1).to_string());
            note.update(&transaction).await?;
            transaction.commit().await
        });
    }
    while let Some(outcome) = writers.join_next().await {
        outcome.unwrap().unwrap();
    }
    let note = note::Entity::find().one(&*database).await.unwrap().unwrap();
    assert_eq!(note.body, "100");
}

#[tokio::test]
async fn a_dropped_transaction_has_no_effect_and_blocks_nobody() {
    let (database, _place) = database().await;
    let transaction = database.begin_write().await.unwrap();
    insert_topic(&transaction, "logic").await.unwrap();
    drop(transaction);

    insert_topic(&database, "rhetoric").await.unwrap();
    let transaction = database.begin_write().await.unwrap();
    insert_topic(&transaction, "grammar").await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(scalar::<i64>(&database, COUNT_TOPICS).await, 1);
}

#[tokio::test]
async fn readers_do_not_wait_for_a_writer_nor_see_its_work() {
    let (database, _place) = database().await;
    let transaction = database.begin_write().await.unwrap();
    insert_topic(&transaction, "logic").await.unwrap();
    assert_eq!(scalar::<i64>(&database, COUNT_TOPICS).await, 0);
    transaction.commit().await.unwrap();
    assert_eq!(scalar::<i64>(&database, COUNT_TOPICS).await, 1);
}

#[tokio::test]
async fn waiting_too_long_for_a_connection_or_a_turn_is_unavailability() {
    let (_, place) = database().await;
    let mut narrow = settings(place.url());
    narrow.max_connections = 1;
    narrow.acquire_timeout_ms = 50;
    let database = connect(&narrow).await;
    let held = loop {
        // Opening the one connection may itself take longer than that.
        if let Ok(transaction) = database.begin_write().await {
            break transaction;
        }
    };
    let error = database.begin_write().await.unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    let error = insert_topic(&database, "logic").await.unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    drop(held);
}

#[tokio::test]
async fn a_file_locked_by_another_process_is_unavailability() {
    let (_, place) = database().await;
    let mut hasty = settings(place.url());
    hasty.acquire_timeout_ms = 250;
    let database = connect(&hasty).await;
    if database.engine() == Engine::Postgres {
        return; // A server, not a file, decides between its clients.
    }
    let other = place.connect().await;
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    let error = insert_topic(&database, "logic").await.unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    other.execute_unprepared("ROLLBACK").await.unwrap();
    insert_topic(&database, "logic").await.unwrap();
}

#[tokio::test]
async fn a_closed_database_is_unavailability() {
    let (database, _place) = database().await;
    database.close().await;
    let error = insert_topic(&database, "logic").await.unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    assert!(database.ready().await.is_err());
}

#[tokio::test]
async fn connections_a_server_has_cut_are_replaced_before_use() {
    let (_, place) = database().await;
    let mut careful = settings(place.url());
    careful.check_after_idle_ms = 0;
    let database = connect(&careful).await;
    database.ping().await.unwrap();
    if database.engine() == Engine::Postgres {
        let others = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
                      WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let cut: i64 = scalar(&place.connect().await, others).await;
        assert!(cut > 0);
    }
    insert_topic(&database, "logic").await.unwrap();
}

#[tokio::test]
async fn connections_are_set_up_as_documented() {
    let (database, _place) = database().await;
    let expected = per_engine(
        &database,
        [("PRAGMA journal_mode", "wal"), ("SELECT 'x'", "x")],
        [
            ("SELECT current_setting('application_name')", "lyceum-test"),
            ("SELECT current_setting('statement_timeout')", "30s"),
        ],
    );
    for (sql, value) in expected {
        assert_eq!(scalar::<String>(&database, sql).await, value);
    }
    if database.engine() == Engine::Sqlite {
        for (sql, value) in [
            ("PRAGMA foreign_keys", 1),
            ("PRAGMA synchronous", 1), // NORMAL
            ("PRAGMA busy_timeout", 10_000),
        ] {
            assert_eq!(scalar::<i32>(&database, sql).await, value, "{sql}");
        }
    }
}
