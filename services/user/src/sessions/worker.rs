//! Forgets sessions that have expired, with their tokens.

use std::time::Duration;

use lyceum_chassis::clock;
use lyceum_chassis::database::{Database, DbErr};
use time::OffsetDateTime;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::store;

/// How often it looks: what has expired counts for nothing, it only takes room.
const EVERY: Duration = Duration::from_hours(1);

/// Sessions forgotten by one statement, with up to some 3000 tokens each (one per 15 min for 30
/// days): few enough that nobody waits for it, on `SQLite` every writer.
const BATCH: u64 = 20;

/// Forgets the expired sessions of one database. Clones do the same.
#[derive(Debug, Clone)]
pub(crate) struct Pruner {
    database: Database,
}

impl Pruner {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Forgets every session that has expired at `now`, batch after batch; how many it were.
    pub(crate) async fn prune(&self, now: OffsetDateTime) -> Result<u64, DbErr> {
        let mut pruned = 0;
        loop {
            let batch = store::delete_expired(&self.database, now, BATCH).await?;
            pruned += batch;
            if batch < BATCH {
                return Ok(pruned);
            }
        }
    }

    /// Looks once an hour until told to stop, which also ends a long pass: each batch is a
    /// statement of its own.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let work = async {
            loop {
                self.pass().await;
                sleep(EVERY).await;
            }
        };
        stop.run_until_cancelled(work).await;
    }

    async fn pass(&self) {
        // Without tables there are no sessions.
        if self.database.ready().await.is_err() {
            return;
        }
        match self.prune(clock::now()).await {
            Ok(0) => {}
            Ok(sessions) => {
                tracing::debug!(
                    event = "session.pruned",
                    sessions,
                    "expired sessions are forgotten"
                );
            }
            Err(error) => {
                tracing::warn!(
                    event = "session.prune_failed",
                    %error,
                    "expired sessions are kept for now"
                );
            }
        }
    }
}
