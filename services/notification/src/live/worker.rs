//! Finds what other replicas have written in the sequences watched here.
//!
//! The process that writes a notification wakes its own streams, and on Postgres those of the
//! others (`replicas`); this loop is how they hear of it on `SQLite`, and the safety net for a
//! wake-up that was lost, on the way or when a request was cancelled in the middle of its commit.
//! It costs a query or two per [`CHUNK`] sequences and round, and none when nobody watches.

use std::time::Duration;

use lyceum_chassis::clock;
use lyceum_chassis::database::Database;
use sea_orm::DbErr;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::hub::Hub;
use super::store;
use super::topic::Topic;

/// Sequences asked about at once.
const CHUNK: usize = 500;

/// Looks every `pause` until told to stop.
pub(crate) async fn sweep(hub: Hub, database: Database, pause: Duration, stop: CancellationToken) {
    let mut failing = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(pause) => {}
        }
        let looked = look(&hub, &database).await;
        // One line when it begins, not one per round.
        if let (Err(error), false) = (&looked, failing) {
            let error = error as &dyn std::error::Error;
            tracing::warn!(
                event = "live.sweep_failed",
                error,
                "other replicas are not heard"
            );
        }
        failing = looked.is_err();
    }
}

/// Wakes the streams of every sequence watched here that has gone on.
pub(super) async fn look(hub: &Hub, database: &Database) -> Result<(), DbErr> {
    for topics in hub.topics().chunks(CHUNK) {
        for (topic, head) in store::heads(database, topics).await? {
            hear(hub, database, topic, head).await;
        }
    }
    Ok(())
}

/// A sequence has come to `head`, elsewhere. What is new in a course is read here, once for all
/// its streams; those that are further behind, and people's, read for themselves.
pub(super) async fn hear(hub: &Hub, database: &Database, topic: Topic, head: i64) {
    if let (Topic::Course(_), Some(known)) = (topic, hub.head_of(topic))
        && head > known
    {
        let keeps = topic.keeps() as u64;
        let from = known.max(head.saturating_sub_unsigned(keeps));
        let news = store::after(database, topic, from, keeps, clock::now()).await;
        // A failure is each stream's to report.
        for told in news.unwrap_or_default() {
            hub.pass_on(topic, || told);
        }
    }
    hub.wake(topic, head);
}
