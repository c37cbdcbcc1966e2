//! Connections that a worker keeps between statements are in nobody's way.

use lyceum_chassis::database::Database;
use lyceum_testing::PATIENCE;
use tokio::time::timeout;

use crate::support::{connect, database, insert_topic, scalar, settings};

const COUNT_TOPICS: &str = "SELECT count(*) FROM topics";

/// A pool of one connection; whoever keeps it keeps all there is.
async fn only_one() -> (Database, lyceum_testing::database::TestDatabase) {
    let (_, place) = database().await;
    let mut one = settings(place.url());
    one.max_connections = 1;
    (connect(&one).await, place)
}

/// What another worker counts meanwhile.
async fn counted_elsewhere(database: &Database) -> i64 {
    let database = database.clone();
    let (told, count) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            told.send(scalar(&database, COUNT_TOPICS).await).unwrap();
            // Not before what it gives back is back.
            tokio::task::yield_now().await;
        });
    });
    count.await.unwrap()
}

#[tokio::test]
async fn a_transaction_gets_the_last_connection_though_a_worker_keeps_it() {
    let (database, _place) = only_one().await;
    for topics in 0..3 {
        assert_eq!(scalar::<i64>(&database, COUNT_TOPICS).await, topics);
        let transaction = database.begin_write().await.unwrap();
        insert_topic(&transaction, &topics.to_string())
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
}

#[tokio::test]
async fn another_worker_gets_the_last_connection_though_one_keeps_it() {
    let (database, _place) = only_one().await;
    assert_eq!(scalar::<i64>(&database, COUNT_TOPICS).await, 0);
    assert_eq!(counted_elsewhere(&database).await, 0);
    assert_eq!(scalar::<i64>(&database, COUNT_TOPICS).await, 0);
}

#[tokio::test]
async fn closing_waits_for_no_connection_that_is_kept() {
    let (database, _place) = database().await;
    assert_eq!(scalar::<i64>(&database, COUNT_TOPICS).await, 0);
    assert!(timeout(PATIENCE, database.close()).await.is_ok());
}
