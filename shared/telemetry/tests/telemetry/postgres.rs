//! What only a database with a server can show. Runs when the suite runs on Postgres.

use lyceum_telemetry::{context, database::Traced, testing::capture};
use opentelemetry::trace::SpanKind;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, TransactionSession, TransactionTrait};
use tracing::{Instrument, info_span};

use crate::support::attribute;

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "which engine is under test is told by the environment"
)]
async fn a_server_is_named_and_its_sqlstate_told() {
    let (Ok("postgres"), Ok(url)) = (
        std::env::var("LYCEUM_TEST_ENGINE").as_deref(),
        std::env::var("TEST_POSTGRES_URL"),
    ) else {
        return;
    };
    capture();
    let mut options = ConnectOptions::new(&url);
    options.max_connections(1).sqlx_logging(false);
    let database = Traced::new(Database::connect(options).await.unwrap(), &url);
    let work = async {
        let transaction = database.begin().await.unwrap();
        // Gone with its connection: nothing is left behind.
        transaction
            .execute_unprepared("CREATE TEMPORARY TABLE people (name TEXT UNIQUE)")
            .await
            .unwrap();
        transaction
            .execute_unprepared("INSERT INTO people VALUES ('ada')")
            .await
            .unwrap();
        transaction
            .execute_unprepared("INSERT INTO people VALUES ('ada')")
            .await
            .unwrap_err();
        transaction.rollback().await.unwrap();
        context::trace_id().unwrap()
    };
    let trace_id = work.instrument(info_span!(parent: None, "test")).await;

    let mut spans = capture().wait_for_spans(&trace_id, 6).await;
    spans.retain(|span| span.span_kind == SpanKind::Client);
    spans.sort_by_key(|span| span.start_time);
    let names: Vec<_> = spans.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(
        names,
        [
            "BEGIN",
            "CREATE people",
            "INSERT people",
            "INSERT people",
            "ROLLBACK"
        ]
    );
    // unique_violation
    assert_eq!(
        attribute(&spans[3], "db.response.status_code").as_deref(),
        Some("23505")
    );
    assert_eq!(attribute(&spans[3], "error.type").as_deref(), Some("23505"));
    assert_eq!(
        attribute(&spans[3], "db.query.text").as_deref(),
        Some("INSERT INTO people VALUES (?)")
    );
    for span in &spans {
        assert_eq!(
            attribute(span, "db.system.name").as_deref(),
            Some("postgresql")
        );
        assert!(
            attribute(span, "db.namespace").is_some() && attribute(span, "server.port").is_some()
        );
        assert!(attribute(span, "server.address").is_some_and(|address| url.contains(&address)));
    }
    database.inner().clone().close().await.unwrap();
}
