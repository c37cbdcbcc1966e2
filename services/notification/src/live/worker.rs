//! Finds what other replicas have written for the people watched here.
//!
//! The process that writes a notification wakes its own streams, and on Postgres those of the
//! others (`replicas`); this loop is how they hear of it on `SQLite`, and the safety net for a
//! wake-up that was lost, on the way or when a request was cancelled in the middle of its commit.
//! It costs one query per [`CHUNK`] people and round, and none when nobody watches.

use std::time::Duration;

use lyceum_chassis::database::Database;
use sea_orm::DbErr;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::hub::Hub;
use super::store;

/// People asked about in one query.
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

/// Wakes everybody watched here whose sequence has gone on.
pub(super) async fn look(hub: &Hub, database: &Database) -> Result<(), DbErr> {
    for people in hub.people().chunks(CHUNK) {
        for person in store::heads(database, people).await? {
            hub.wake(person.user_id, person.head_seq);
        }
    }
    Ok(())
}
