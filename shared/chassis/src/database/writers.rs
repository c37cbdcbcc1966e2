//! `SQLite` takes one writer at a time; here writers of one process queue for it.
//!
//! Left to itself, `SQLite` lets waiting writers poll for its lock: unfair, and a writer may fail
//! as busy after its timeout while others pass it again and again. A fair queue in front costs
//! nothing, keeps waiting writers off the pool, and leaves `SQLite`'s own lock to settle disputes
//! between processes. On Postgres there is no queue.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnAcquireErr, DbErr};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Engine;

/// The right to write, given back when dropped.
pub(super) type Turn = Option<OwnedSemaphorePermit>;

/// The queue in front of the one writer.
#[derive(Debug, Clone)]
pub(super) struct Writers {
    queue: Option<Arc<Semaphore>>,
    patience: Duration,
}

impl Writers {
    pub(super) fn new(engine: Engine, patience: Duration) -> Self {
        let queue = match engine {
            Engine::Sqlite => Some(Arc::new(Semaphore::new(1))),
            Engine::Postgres => None,
        };
        Self { queue, patience }
    }

    /// Waits for the turn to write, in order of arrival.
    ///
    /// # Errors
    /// As an exhausted pool, after the pool's own patience. A task that writes through the
    /// `Database` while it holds a `Transaction` waits for itself and ends here too.
    pub(super) async fn turn(&self) -> Result<Turn, DbErr> {
        let Some(queue) = &self.queue else {
            return Ok(None);
        };
        match timeout(self.patience, Arc::clone(queue).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Some(permit)),
            Ok(Err(_closed)) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
            Err(_elapsed) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }

    /// As [`Self::turn`], for one statement; reading needs no turn.
    pub(super) async fn turn_for(&self, sql: &str) -> Result<Turn, DbErr> {
        if only_reads(sql) {
            Ok(None)
        } else {
            self.turn().await
        }
    }
}

/// Certain for `SELECT` alone: `WITH` may lead to an update, and waiting in vain is harmless.
pub(super) fn only_reads(sql: &str) -> bool {
    sql.trim_start()
        .get(..6)
        .is_some_and(|word| word.eq_ignore_ascii_case("select"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_select_needs_no_turn() {
        assert!(only_reads("SELECT 1"));
        assert!(only_reads("\n  select 1"));
        for sql in [
            "INSERT INTO t VALUES (1) RETURNING id",
            "WITH x AS (SELECT 1) DELETE FROM t",
            "",
            "é",
        ] {
            assert!(!only_reads(sql), "{sql}");
        }
    }
}
