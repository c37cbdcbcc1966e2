//! Opens the pool of connections, and says clearly why it cannot.
//!
//! A pool of sqlx hides the reason of a failed connection behind its acquire timeout, so one
//! plain connection is made first; the pool itself opens connections when they are needed.

use std::time::Duration;

use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::{self, ConnectOptions, Connection, Database as Driver};
use sea_orm::{DatabaseConnection, SqlxPostgresConnector, SqlxSqliteConnector};
use tokio::time::{Instant, sleep, timeout_at};

use super::target::Target;
use super::{DatabaseError, DatabaseSettings, error};

/// Pause between two looks at a database that is not there yet.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// A pool for the service's own work, proved to reach the database.
pub(super) async fn open(
    target: &Target,
    settings: &DatabaseSettings,
) -> Result<DatabaseConnection, DatabaseError> {
    prove(target, settings).await?;
    Ok(match target {
        Target::Sqlite(options) => SqlxSqliteConnector::from_sqlx_sqlite_pool(
            pool_options(settings).connect_lazy_with(options.as_ref().clone()),
        ),
        Target::Postgres(options) => SqlxPostgresConnector::from_sqlx_postgres_pool(
            pool_options(settings)
                .min_connections(settings.min_connections)
                .connect_lazy_with(options.as_ref().clone()),
        ),
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

fn pool_options<D: Driver>(settings: &DatabaseSettings) -> PoolOptions<D> {
    let check_after_idle = settings.check_after_idle();
    PoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout())
        .max_lifetime(Duration::from_secs(settings.max_lifetime_s))
        .idle_timeout(Duration::from_secs(settings.idle_timeout_s))
        .test_before_acquire(false)
        .before_acquire(move |connection: &mut D::Connection, metadata| {
            Box::pin(async move {
                if metadata.idle_for >= check_after_idle {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
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
