//! Opens the pool of connections, and says clearly why it cannot.
//!
//! A pool of sqlx hides the reason of a failed connection behind its acquire timeout, so one
//! plain connection is made first; the pool itself opens connections when they are needed.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::{
    self, ConnectOptions, Connection, Database as Driver, PgConnection, Sqlite, SqliteConnection,
};
use sea_orm::{DatabaseConnection, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx_core::transaction::TransactionManager;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::stash::Stash;
use super::target::Target;
use super::watch::{self, Sizes, Watch};
use super::{DatabaseError, DatabaseSettings, error};

/// Pause between two looks at a database that is not there yet.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// A pool for the service's own work, proved to reach the database.
pub(super) struct Pool {
    pub(super) connection: DatabaseConnection,
    pub(super) watch: Watch,
    /// Kept for as long as the sizes are to be shown.
    pub(super) sizes: Arc<Sizes>,
    /// What workers keep, on Postgres.
    pub(super) stash: Option<Stash>,
}

/// Opens the pool of the service called `service`.
pub(super) async fn open(
    service: &str,
    target: &Target,
    settings: &DatabaseSettings,
) -> Result<Pool, DatabaseError> {
    prove(target, settings).await?;
    let watch = Watch::new(service);
    let (connection, sizes, stash): (_, Arc<Sizes>, _) = match target {
        Target::Sqlite(options) => {
            let pool = pool_options(settings, &watch)
                .after_release(|connection, _| Box::pin(mend(connection)))
                .connect_lazy_with(options.as_ref().clone());
            let shown = pool.clone();
            (
                SqlxSqliteConnector::from_sqlx_sqlite_pool(pool),
                Arc::new(move || (shown.size(), shown.num_idle())),
                None,
            )
        }
        Target::Postgres(options) => {
            let returning = watch.clone();
            let pool = pool_options(settings, &watch)
                .min_connections(settings.min_connections)
                .after_release(move |connection, _| {
                    let watch = returning.clone();
                    Box::pin(async move { Ok(!watch.somebody_left() || is_idle(connection).await) })
                })
                .connect_lazy_with(options.as_ref().clone());
            let stash = Stash::new(pool.clone(), settings.max_connections, watch.clone());
            let (shown, kept) = (pool.clone(), stash.clone());
            (
                SqlxPostgresConnector::from_sqlx_postgres_pool(pool),
                Arc::new(move || (shown.size(), shown.num_idle() + kept.len())),
                Some(stash),
            )
        }
    };
    Watch::show(service, settings.max_connections, &sizes);
    Ok(Pool {
        connection,
        watch,
        sizes,
        stash,
    })
}

/// Connects once, waiting a little for a database that is just starting or switching to WAL.
pub(super) async fn prove(
    target: &Target,
    settings: &DatabaseSettings,
) -> Result<(), DatabaseError> {
    let patience = settings.connect_timeout();
    match target {
        Target::Sqlite(options) => reach(options.as_ref(), patience).await,
        Target::Postgres(options) => reach(options.as_ref(), patience).await,
    }
    .map_err(|reason| DatabaseError::Unreachable {
        target: target.describe(),
        reason,
    })
}

fn pool_options<D: Driver>(settings: &DatabaseSettings, watch: &Watch) -> PoolOptions<D> {
    let check_after_idle = settings.check_after_idle();
    let watch = watch.clone();
    PoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout())
        .max_lifetime(Duration::from_secs(settings.max_lifetime_s))
        .idle_timeout(Duration::from_secs(settings.idle_timeout_s))
        .test_before_acquire(false)
        .after_connect(|_, _| {
            watch::handed_out();
            Box::pin(async { Ok(()) })
        })
        .before_acquire(move |connection: &mut D::Connection, metadata| {
            let idle_for = metadata.idle_for;
            let doubtful = idle_for >= check_after_idle || watch.suspects(idle_for);
            let watch = watch.clone();
            Box::pin(async move {
                if doubtful {
                    // The pool takes another one and tells nobody.
                    let answer = connection.ping().await;
                    answer.inspect_err(|error| watch.learn_of_connection(error))?;
                }
                watch::handed_out();
                Ok(true)
            })
        })
}

/// What the statement of a caller that has gone may still take, so that a quick one does not cost
/// its connection. With how often the server looks (`target`) it stays below the 50 ms promised.
const FINISHES_WITHIN: Duration = Duration::from_millis(5);

/// Whether the server is done with what it was told on this connection.
///
/// Dropping a statement tells the server nothing: it goes on, or waits for a lock, until
/// `database.statement_timeout_ms`, and the pool would wait as long for the connection to come
/// back. Closing it is what the server notices.
async fn is_idle(connection: &mut PgConnection) -> bool {
    matches!(
        timeout(FINISHES_WITHIN, connection.ping()).await,
        Ok(Ok(()))
    )
}

/// Ends what a failing disk has left of a transaction before the connection is used again.
///
/// `SQLite` then rolls back by itself. The driver finds nothing to roll back, goes on counting one
/// transaction, takes the next for one inside it, and leaves that one open, with its lock, when it
/// is rolled back. Closing the connection would be simpler, but the last one takes the write-ahead
/// log with it, and a full disk has no room for another: reads would fail, too.
async fn mend(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    if connection.is_in_transaction() {
        // A dropped transaction is rolled back in the background; the answer comes after that.
        connection.ping().await?;
    }
    if connection.is_in_transaction() {
        sqlx::query("BEGIN").execute(&mut *connection).await?;
        <Sqlite as Driver>::TransactionManager::rollback(connection).await?;
    }
    Ok(!connection.is_in_transaction())
}

async fn reach<C: Connection>(
    options: &impl ConnectOptions<Connection = C>,
    patience: Duration,
) -> Result<(), String> {
    let deadline = Instant::now() + patience;
    loop {
        let reason = match timeout_at(deadline, options.connect()).await {
            Ok(Ok(connection)) => return connection.close().await.map_err(|error| plain(&error)),
            Ok(Err(error)) if error::driver_is_unavailable(&error) => plain(&error),
            Ok(Err(error)) => return Err(plain(&error)),
            Err(_elapsed) => return Err(format!("no answer within {patience:?}")),
        };
        if Instant::now() + RETRY_PAUSE >= deadline {
            return Err(reason);
        }
        sleep(RETRY_PAUSE).await;
    }
}

/// What the server or the system says, without the driver's preface.
fn plain(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}
