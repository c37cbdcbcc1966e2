//! The `database` section of the settings. Defaults live in the chassis' `default.toml`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::DatabaseError;
use crate::settings::Secret;

/// Where a service keeps its rows, and how many connections it may hold for that.
///
/// The pool is the guide's: 20 kept and 10 overflow connections, recycled after an hour, at most
/// 5 s of waiting for one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// `sqlite://path?mode=rwc` or `postgres://user:password@host/name`; masked when printed,
    /// because it may hold a password.
    pub url: Secret,
    /// Upper bound of open connections. They are opened when first needed.
    pub max_connections: u32,
    /// Connections that are replaced rather than given up when they have idled or aged. Counts on
    /// Postgres only: a file is opened in microseconds.
    pub min_connections: u32,
    /// How long a statement waits for a connection, and on `SQLite` for its turn to write.
    pub acquire_timeout_ms: u64,
    /// How long a start waits for a database that is not there yet.
    pub connect_timeout_ms: u64,
    /// A connection older than this is replaced.
    pub max_lifetime_s: u64,
    /// A connection unused for this long is given up.
    pub idle_timeout_s: u64,
    /// A connection unused for this long is pinged before it is handed out. Pinging every time
    /// costs a round trip per statement: 28 % of single-row throughput, measured.
    pub check_after_idle_ms: u64,
    /// Postgres ends a statement that runs longer; migrations are exempt.
    pub statement_timeout_ms: u64,
    /// Apply pending migrations when starting. Otherwise run `migrate` first.
    pub migrate_on_start: bool,
    /// Delete what is over, see [`Pruner`](crate::retention::Pruner). Of many replicas, one is
    /// enough.
    pub prune: bool,
}

impl DatabaseSettings {
    /// Refuses numbers that no pool can work with.
    pub(crate) fn check(&self) -> Result<(), DatabaseError> {
        let refuse = |key, problem| Err(DatabaseError::Setting { key, problem });
        if self.max_connections == 0 {
            return refuse("database.max_connections", "must be above 0");
        }
        if self.min_connections > self.max_connections {
            return refuse(
                "database.min_connections",
                "must not be above database.max_connections",
            );
        }
        if self.acquire_timeout_ms == 0 {
            return refuse("database.acquire_timeout_ms", "must be above 0");
        }
        if self.connect_timeout_ms == 0 {
            return refuse("database.connect_timeout_ms", "must be above 0");
        }
        Ok(())
    }

    pub(super) const fn acquire_timeout(&self) -> Duration {
        Duration::from_millis(self.acquire_timeout_ms)
    }

    pub(super) const fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(super) const fn check_after_idle(&self) -> Duration {
        Duration::from_millis(self.check_after_idle_ms)
    }
}
