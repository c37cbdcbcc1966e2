//! Forgets links that can no longer count.
//!
//! A loop rather than on use: who never comes back uses nothing, and the address they wanted to
//! confirm would stay for ever. Tokens go with their link, and expired ones of a link that is
//! mailed again when its next letter is written.

use std::time::Duration;

use lyceum_chassis::clock;
use lyceum_chassis::database::{Database, DbErr};
use time::OffsetDateTime;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{domain, store};

/// How often it looks: a link is kept for two weeks, and an hour more is no matter.
const EVERY: Duration = Duration::from_hours(1);

/// Links forgotten by one statement: few enough that nobody waits for it, on `SQLite` every writer.
const BATCH: u64 = 500;

/// Forgets the links of one database. Clones do the same.
#[derive(Debug, Clone)]
pub(crate) struct Pruner(Database);

impl Pruner {
    /// Prepares it; nothing is forgotten before [`Self::run`].
    pub(crate) fn new(database: Database) -> Self {
        Self(database)
    }

    /// Looks at once and then every hour, until told to stop.
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
        // Without tables there are no links.
        if self.0.ready().await.is_err() {
            return;
        }
        match self.prune(clock::now()).await {
            Ok(0) => {}
            Ok(links) => {
                tracing::debug!(
                    event = "mailed_link.pruned",
                    links,
                    "old links are forgotten"
                );
            }
            Err(error) => tracing::warn!(
                event = "mailed_link.prune_failed",
                %error,
                "old links are kept for another hour"
            ),
        }
    }

    /// Forgets what is too old at `now`, batch after batch; how many it were.
    async fn prune(&self, now: OffsetDateTime) -> Result<u64, DbErr> {
        let end = now - domain::KEPT_FOR;
        let mut pruned = 0;
        loop {
            let batch = store::delete_before(&self.0, end, BATCH).await?;
            pruned += batch;
            if batch < BATCH {
                return Ok(pruned);
            }
        }
    }
}
