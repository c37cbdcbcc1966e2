//! The span of a statement, on a real SQLite database.

use lyceum_telemetry::{context, database::Traced, metrics_text, testing::capture};
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, SqliteTransactionMode,
    Statement, TransactionError, TransactionOptions, TransactionSession, TransactionTrait,
};
use std::future::Future;
use tracing::{Instrument, info_span};

use crate::support::{attribute, attributes};

/// A database with an empty table `people`, whose names are unique.
async fn database() -> Traced<DatabaseConnection> {
    capture();
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1).sqlx_logging(false);
    let database = Database::connect(options).await.unwrap();
    database
        .execute_unprepared("CREATE TABLE people (name TEXT UNIQUE)")
        .await
        .unwrap();
    Traced::new(database, "sqlite:///srv/data/people.db?mode=rwc")
}

fn insert(name: &str) -> Statement {
    Statement::from_sql_and_values(
        sea_orm::DbBackend::Sqlite,
        r#"INSERT INTO "people" ("name") VALUES (?)"#,
        [name.into()],
    )
}

/// The `count` spans that `work` leaves, without the one around it, in the order they started. They are waited for:
/// the driver's own thread holds on to a statement's span for a moment.
async fn spans_of(count: usize, work: impl Future<Output = ()>) -> Vec<SpanData> {
    let work = async {
        work.await;
        context::trace_id().unwrap()
    };
    let trace_id = work.instrument(info_span!(parent: None, "test")).await;
    let mut spans = capture().wait_for_spans(&trace_id, count + 1).await;
    spans.retain(|span| span.span_kind == SpanKind::Client);
    spans.sort_by_key(|span| span.start_time);
    spans
}

fn names(spans: &[SpanData]) -> Vec<&str> {
    spans.iter().map(|span| span.name.as_ref()).collect()
}

#[tokio::test]
async fn a_statement_is_one_span_without_its_values() {
    let database = database().await;
    let spans = spans_of(1, async {
        database.execute_raw(insert("ada-secret")).await.unwrap();
    })
    .await;
    assert_eq!(names(&spans), ["INSERT people"]);
    assert_eq!(spans[0].status, Status::Unset);
    let expected = [
        ("db.collection.name", "people"),
        ("db.namespace", "people"),
        ("db.operation.name", "INSERT"),
        ("db.query.summary", "INSERT people"),
        (
            "db.query.text",
            r#"INSERT INTO "people" ("name") VALUES (?)"#,
        ),
        ("db.system.name", "sqlite"),
    ];
    assert_eq!(
        attributes(&spans[0]),
        expected
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    );
}

#[tokio::test]
async fn every_way_to_ask_is_observed() {
    let database = database().await;
    let select =
        || Statement::from_string(sea_orm::DbBackend::Sqlite, r#"SELECT "name" FROM "people""#);
    let spans = spans_of(3, async {
        assert!(database.query_one_raw(select()).await.unwrap().is_none());
        assert!(database.query_all_raw(select()).await.unwrap().is_empty());
        database
            .execute_unprepared("DELETE FROM people WHERE name = 'ada-secret'")
            .await
            .unwrap();
    })
    .await;
    assert_eq!(
        names(&spans),
        ["SELECT people", "SELECT people", "DELETE people"]
    );
    assert_eq!(
        attribute(&spans[2], "db.query.text").as_deref(),
        Some("DELETE FROM people WHERE name = ?")
    );
}

#[tokio::test]
async fn a_failed_statement_tells_its_code_and_nothing_it_complains_about() {
    let database = database().await;
    let spans = spans_of(2, async {
        database.execute_raw(insert("ada")).await.unwrap();
        database.execute_raw(insert("ada")).await.unwrap_err();
    })
    .await;
    assert_eq!(spans[1].status, Status::error(""));
    // SQLITE_CONSTRAINT_UNIQUE
    assert_eq!(
        attribute(&spans[1], "db.response.status_code").as_deref(),
        Some("2067")
    );
    assert_eq!(attribute(&spans[1], "error.type").as_deref(), Some("2067"));
}

#[tokio::test]
async fn a_transaction_shows_its_begin_and_its_end() {
    let database = database().await;
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let spans = spans_of(5, async {
        let transaction = database.begin_with_options(immediate).await.unwrap();
        transaction.execute_raw(insert("ada")).await.unwrap();
        transaction.commit().await.unwrap();
        let transaction = database.begin().await.unwrap();
        transaction.rollback().await.unwrap();
    })
    .await;
    assert_eq!(
        names(&spans),
        ["BEGIN", "INSERT people", "COMMIT", "BEGIN", "ROLLBACK"]
    );
    assert_eq!(
        attribute(&spans[0], "db.query.text").as_deref(),
        Some("BEGIN IMMEDIATE")
    );
}

#[tokio::test]
async fn a_callback_that_fails_rolls_back() {
    let database = database().await;
    let spans = spans_of(3, async {
        let outcome = database
            .transaction(|transaction| {
                Box::pin(async move {
                    transaction.execute_raw(insert("ada")).await?;
                    Err::<(), _>(DbErr::Custom("no".to_owned()))
                })
            })
            .await;
        assert!(matches!(outcome, Err(TransactionError::Transaction(_))));
    })
    .await;
    assert_eq!(names(&spans), ["BEGIN", "INSERT people", "ROLLBACK"]);
    database.execute_raw(insert("ada")).await.unwrap();
}

#[tokio::test]
async fn a_dropped_transaction_rolls_back() {
    let database = database().await;
    let transaction = database.begin().await.unwrap();
    transaction.execute_raw(insert("ada")).await.unwrap();
    drop(transaction);
    database.execute_raw(insert("ada")).await.unwrap();
}

#[tokio::test]
async fn a_statement_outside_any_trace_is_measured_but_makes_no_trace() {
    let database = database().await;
    let spans = || {
        capture()
            .all_spans()
            .into_iter()
            .filter(|span| span.name == "DELETE nobody")
            .count()
    };
    database
        .execute_unprepared("CREATE TABLE nobody (id INTEGER)")
        .await
        .unwrap();
    database
        .execute_unprepared("DELETE FROM nobody")
        .await
        .unwrap();
    assert_eq!(spans(), 0);
    let text = metrics_text();
    let line = text.lines().find(|line| {
        line.starts_with("db_client_operation_duration_seconds_count")
            && line.contains(r#"db_operation_name="DELETE""#)
            && line.contains(r#"db_collection_name="nobody""#)
    });
    assert!(line.is_some_and(|line| line.ends_with(" 1")), "{text}");
}
