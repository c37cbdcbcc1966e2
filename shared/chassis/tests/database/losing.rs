//! Connections that are cut, disks that refuse, and how it goes on without a restart.

use futures_util::future::join_all;
use lyceum_chassis::database::{Database, is_unavailable};
use lyceum_telemetry::metrics::metrics_text;
use lyceum_testing::PATIENCE;
use lyceum_testing::database::{Engine, TestDatabase};
use lyceum_testing::eventually;
use sea_orm::{ConnectionTrait, DatabaseConnection, EntityTrait};

use crate::support::{Migrator, connect, database, insert_topic, scalar, settings, topic};

const COUNT_TOPICS: &str = "SELECT count(*) FROM topics";

/// A pool that checks nothing by itself, with connections open and idle.
async fn trusting() -> (Database, TestDatabase) {
    let (_, place) = database().await;
    let mut trusting = settings(place.url());
    trusting.check_after_idle_ms = 3_600_000;
    let database = connect(&trusting).await;
    let held = join_all((0..4).map(|_| database.begin_write())).await;
    drop(held);
    (database, place)
}

/// Ends every session of the service, as a server does that restarts.
async fn cut(place: &TestDatabase) {
    let others = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(scalar::<i64>(&place.connect().await, others).await >= 4);
}

#[tokio::test]
async fn reads_and_new_transactions_do_not_notice_that_the_server_cut_them_off() {
    if Engine::chosen() == Engine::Sqlite {
        return; // A file cannot hang up.
    }
    let (database, place) = trusting().await;
    cut(&place).await;
    assert_eq!(scalar::<i64>(&database, COUNT_TOPICS).await, 0);

    cut_again(&database, &place).await;
    let transaction = database.begin_write().await.unwrap();
    insert_topic(&transaction, "logic").await.unwrap();
    transaction.commit().await.unwrap();

    cut_again(&database, &place).await;
    database.ping().await.unwrap();
}

/// Opens connections once more, and has them cut.
async fn cut_again(database: &Database, place: &TestDatabase) {
    let held = join_all((0..4).map(|_| database.begin_write())).await;
    drop(held);
    cut(place).await;
}

#[tokio::test]
async fn a_write_that_is_cut_off_is_unavailability_once_and_the_others_are_spared() {
    if Engine::chosen() == Engine::Sqlite {
        return; // A file cannot hang up.
    }
    let (database, place) = trusting().await;
    cut(&place).await;
    // Whether it had its effect nobody can know, so it is not sent again.
    let error = insert_topic(&database, "logic").await.unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    let names: Vec<_> = (0..8).map(|number| number.to_string()).collect();
    let writes = names.iter().map(|name| insert_topic(&database, name));
    for outcome in join_all(writes).await {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn a_transaction_that_is_cut_off_is_told_and_spares_the_others() {
    if Engine::chosen() == Engine::Sqlite {
        return; // A file cannot hang up.
    }
    let (database, place) = trusting().await;
    let transaction = database.begin_write().await.unwrap();
    insert_topic(&transaction, "logic").await.unwrap();
    cut(&place).await;
    let error = insert_topic(&transaction, "ethics").await.unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    drop(transaction);
    // A write would not be sent again: it was given a connection that had been checked.
    insert_topic(&database, "rhetoric").await.unwrap();
    assert_eq!(scalar::<i64>(&database, COUNT_TOPICS).await, 1);
}

#[tokio::test]
async fn a_statement_whose_caller_has_left_ends_and_frees_its_place_in_the_pool() {
    let (_, place) = database().await;
    if place.engine() == Engine::Sqlite {
        return; // It runs in this process and needs no word to a server.
    }
    let mut single = settings(place.url());
    single.max_connections = 1;
    let database = connect(&single).await;
    let looker = place.connect().await;
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' \
                  AND datname = current_database()";
    tokio::select! {
        _ = database.execute_unprepared("SELECT pg_sleep(60)") => panic!("a minute has passed"),
        () = sees(&looker, asleep, 1) => {}
    }
    // The pool waits ten seconds for a connection; it has one.
    assert_eq!(scalar::<i64>(&database, COUNT_TOPICS).await, 0);
    sees(&looker, asleep, 0).await;

    let transaction = database.begin_write().await.unwrap();
    insert_topic(&transaction, "logic").await.unwrap();
    tokio::select! {
        _ = transaction.execute_unprepared("SELECT pg_sleep(60)") => panic!("a minute has passed"),
        () = sees(&looker, asleep, 1) => {}
    }
    drop(transaction);
    assert_eq!(scalar::<i64>(&database, COUNT_TOPICS).await, 0);
}

/// Waits until a count has this value.
async fn sees(looker: &DatabaseConnection, count: &str, value: i64) {
    eventually(count, async || {
        (scalar::<i64>(looker, count).await == value).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_disk_that_is_full_or_read_only_is_unavailability_and_heals() {
    let (_, place) = database().await;
    let mut single = settings(place.url());
    single.max_connections = 1; // The pragmas below are the connection's own.
    let database = connect(&single).await;
    if place.engine() == Engine::Postgres {
        return; // A server's disk is the server's to report.
    }
    let pages: i64 = scalar(&database, "PRAGMA page_count").await;
    for (fault, heals) in [
        (
            format!("PRAGMA max_page_count = {pages}"),
            "PRAGMA max_page_count = 1000000",
        ),
        (
            "PRAGMA query_only = ON".to_owned(),
            "PRAGMA query_only = OFF",
        ),
    ] {
        database.execute_unprepared(&fault).await.unwrap();
        let large = "logic".repeat(10_000);
        let error = insert_topic(&database, &large).await.unwrap_err();
        assert!(is_unavailable(&error), "{fault}: {error}");
        scalar::<i64>(&database, COUNT_TOPICS).await;
        database.execute_unprepared(heals).await.unwrap();
        insert_topic(&database, &fault).await.unwrap();
    }
}

#[tokio::test]
async fn the_pool_shows_what_is_open_what_waits_and_what_waited_in_vain() {
    lyceum_telemetry::testing::capture();
    let (_, place) = database().await;
    let mut narrow = settings(place.url());
    narrow.max_connections = 1;
    narrow.acquire_timeout_ms = 1_000;
    let database = Database::connect::<Migrator>("narrow", &narrow)
        .await
        .unwrap();
    let of_pool = |metric: &str| format!("{metric}{{db_client_connection_pool_name=\"narrow\"");
    let open = |state: &str| {
        let count = of_pool("db_client_connection_count");
        format!("{count},db_client_connection_state=\"{state}\"")
    };
    let pending = of_pool("db_client_connection_pending_requests");

    let held = database.begin_write().await.unwrap();
    assert_eq!(metric(&open("used")), Some(1.0));
    assert_eq!(metric(&open("idle")), Some(0.0));
    assert_eq!(metric(&of_pool("db_client_connection_max")), Some(1.0));

    let mut in_vain = Box::pin(topic::Entity::find().all(&database));
    tokio::select! {
        _ = &mut in_vain => panic!("there is none to have"),
        () = shown(&pending, 1.0) => {}
    }
    assert!(is_unavailable(&in_vain.await.unwrap_err()));
    assert_eq!(metric(&pending), Some(0.0));
    let timeouts = of_pool("db_client_connection_timeouts_total");
    assert_eq!(metric(&timeouts), Some(1.0));
    let waits = of_pool("db_client_connection_wait_time_seconds_count");
    assert_eq!(metric(&waits), Some(1.0), "the wait of the transaction");

    drop(held);
    shown(&open("idle"), 1.0).await;
    assert_eq!(metric(&open("used")), Some(0.0));
    drop(database);
    assert_eq!(metric(&open("idle")), None, "a pool that is gone");
}

/// Waits until a series has this value.
async fn shown(series: &str, value: f64) {
    let waiting = async {
        while metric(series) != Some(value) {
            tokio::task::yield_now().await;
        }
    };
    let came = tokio::time::timeout(PATIENCE, waiting).await;
    came.unwrap_or_else(|_| panic!("{series} is not {value}:\n{}", metrics_text()));
}

fn metric(series: &str) -> Option<f64> {
    let text = metrics_text();
    let line = text.lines().find(|line| line.contains(series))?;
    line.rsplit(' ').next()?.parse().ok()
}
