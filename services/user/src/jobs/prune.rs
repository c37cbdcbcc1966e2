//! Forgets jobs that ended long ago, and what uploads and ended imports have left behind.

use std::time::Duration;

use lyceum_chassis::clock;
use lyceum_chassis::database::{Database, DbErr};
use time::OffsetDateTime;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{JobSettings, store};
use crate::import;

/// How often it looks.
const EVERY: Duration = Duration::from_mins(1);
/// Jobs forgotten by one statement, each with up to a thousand faults: few enough that nobody
/// waits for it, on `SQLite` every writer.
const BATCH: u64 = 10;

/// Prunes the jobs of one database. Clones do the same.
#[derive(Debug, Clone)]
pub(crate) struct Pruner {
    database: Database,
    keep: Duration,
}

impl Pruner {
    /// Prepares it; nothing is forgotten before [`Self::run`] or [`Self::prune`].
    pub(crate) fn new(database: Database, settings: &JobSettings) -> Self {
        Self {
            database,
            keep: settings.keep(),
        }
    }

    /// Forgets what is over at `now`; how many jobs it were.
    pub(crate) async fn prune(&self, now: OffsetDateTime) -> Result<u64, DbErr> {
        import::prune(&self.database, now).await?;
        let end = now - self.keep;
        let mut pruned = 0;
        loop {
            let batch = store::delete_finished_before(&self.database, end, BATCH).await?;
            pruned += batch;
            if batch < BATCH {
                return Ok(pruned);
            }
        }
    }

    /// Looks once a minute until told to stop.
    pub(crate) async fn run(self, stop: CancellationToken) {
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
        match self.prune(clock::now()).await {
            Ok(0) => false,
            Ok(jobs) => {
                tracing::debug!(event = "jobs.pruned", jobs, "old jobs are forgotten");
                false
            }
            Err(error) => {
                // One line when it begins, not one per minute.
                if !failing {
                    tracing::warn!(event = "jobs.prune_failed", %error, "old jobs are kept for now");
                }
                true
            }
        }
    }
}
