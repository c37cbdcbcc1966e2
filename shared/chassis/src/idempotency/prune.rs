//! Forgets keys whose time is over: answers hold personal data, and nobody repeats a request that
//! long.

use std::time::Duration;

use sea_orm::DbErr;
use time::OffsetDateTime;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{IdempotencySettings, store};
use crate::clock;
use crate::database::Database;

/// How often it looks. An answer is kept at most this much longer than it need be.
const EVERY: Duration = Duration::from_mins(1);

/// Keys forgotten by one statement: few enough that nobody waits for it, on `SQLite` every writer.
const BATCH: u64 = 500;

/// Forgets the keys of one database. Clones do the same.
#[derive(Debug, Clone)]
pub struct Pruner {
    database: Database,
    keep: Duration,
}

impl Pruner {
    /// Prepares it; nothing is forgotten before [`Self::run`] or [`Self::prune`].
    pub fn new(database: Database, settings: IdempotencySettings) -> Self {
        Self {
            database,
            keep: settings.keep(),
        }
    }

    /// Forgets every key whose time is over at `now`, batch after batch; how many it were.
    ///
    /// # Errors
    /// When the database fails; what was forgotten by then stays so.
    pub async fn prune(&self, now: OffsetDateTime) -> Result<u64, DbErr> {
        let end = now - self.keep;
        let mut pruned = 0;
        loop {
            let batch = store::delete_before(&self.database, end, BATCH).await?;
            pruned += batch;
            if batch < BATCH {
                return Ok(pruned);
            }
        }
    }

    /// Looks once a minute until told to stop, which also ends a long pass: each batch is a
    /// statement of its own.
    pub async fn run(self, stop: CancellationToken) {
        let mut failing = false;
        let work = async {
            loop {
                failing = self.pass(failing).await;
                sleep(EVERY).await;
            }
        };
        stop.run_until_cancelled(work).await;
    }

    /// One look; whether it failed.
    async fn pass(&self, failing: bool) -> bool {
        // Without tables there are no keys; requests are told so, and look for them.
        if self.database.migrated().await.is_err() {
            return failing;
        }
        match self.prune(clock::now()).await {
            Ok(0) => false,
            Ok(keys) => {
                tracing::debug!(event = "idempotency.pruned", keys, "old keys are forgotten");
                false
            }
            Err(error) => {
                // One line when it begins, not one per minute.
                if !failing {
                    tracing::warn!(
                        event = "idempotency.prune_failed",
                        %error,
                        "old keys are kept for now"
                    );
                }
                true
            }
        }
    }
}
