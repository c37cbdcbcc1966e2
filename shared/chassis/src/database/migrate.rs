//! Migrations: applied once, however many replicas start together.
//!
//! sea-orm takes no lock of its own: two replicas on an empty database would both create its
//! tables and one would fail. Here each migrator works on one connection of its own that holds a
//! lock: on Postgres an advisory lock of the session, so that if the connection dies, work and
//! lock end together; on `SQLite` the write lock of one transaction around all of them. Looking
//! at what is pending takes no lock and changes nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::{Postgres, Sqlite};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, EntityName, EntityTrait, SqliteTransactionMode,
    SqlxPostgresConnector, SqlxSqliteConnector, TransactionOptions, TransactionTrait, sqlx,
};
use sea_orm_migration::{
    IntoSchemaManagerConnection, MigratorTrait, SchemaManager, seaql_migrations,
};

use super::DatabaseError;
use super::target::Target;

/// How long a replica waits for another one's migrations before it gives up starting.
const PATIENCE: Duration = Duration::from_mins(5);

/// Key of the advisory lock, per database: "lyceum" in ASCII.
const ADVISORY_LOCK: i64 = 0x006c_7963_6575_6d00;

/// Applies what is pending; returns how many migrations this call applied.
pub(super) async fn apply<M: MigratorTrait>(
    service: &str,
    target: &Target,
) -> Result<usize, DatabaseError> {
    let failed = |reason| DatabaseError::migration(service, target.describe(), reason);
    let connection = connect(target);
    let applied = match target {
        Target::Sqlite(_) => within_transaction::<M>(&connection).await,
        Target::Postgres(_) => up::<M, _>(&connection).await,
    };
    let closed = connection.close().await;
    let applied = applied.map_err(failed)?;
    closed.map_err(failed)?;
    tracing::info!(
        event = "database.migrated",
        database = target.describe(),
        applied,
        "the database is up to date"
    );
    Ok(applied)
}

/// A pool of exactly one connection, which holds the lock from its first moment on Postgres. It
/// opens with the first statement.
fn connect(target: &Target) -> DatabaseConnection {
    match target.without_time_limits(PATIENCE) {
        Target::Sqlite(options) => SqlxSqliteConnector::from_sqlx_sqlite_pool(
            PoolOptions::<Sqlite>::new()
                .max_connections(1)
                .acquire_timeout(PATIENCE)
                .connect_lazy_with(*options),
        ),
        Target::Postgres(options) => SqlxPostgresConnector::from_sqlx_postgres_pool(
            PoolOptions::<Postgres>::new()
                .max_connections(1)
                .acquire_timeout(PATIENCE)
                .test_before_acquire(false)
                .after_connect(|connection, _| {
                    Box::pin(async move {
                        sqlx::query("SELECT pg_advisory_lock($1)")
                            .bind(ADVISORY_LOCK)
                            .execute(connection)
                            .await
                            .map(drop)
                    })
                })
                .connect_lazy_with(*options),
        ),
    }
}

async fn within_transaction<M: MigratorTrait>(
    connection: &DatabaseConnection,
) -> Result<usize, DbErr> {
    let transaction = connection
        .begin_with_options(TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        })
        .await?;
    let applied = up::<M, _>(&transaction).await?;
    transaction.commit().await?;
    Ok(applied)
}

/// An older release restarting beside a newer one finds migrations it does not know, which
/// `M::up` refuses; having nothing to add, it must start all the same.
async fn up<'c, M, C>(connection: &'c C) -> Result<usize, DbErr>
where
    M: MigratorTrait,
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    let pending = pending(connection, &names::<M>()).await?;
    if !pending.is_empty() {
        M::up(connection, None).await?;
    }
    Ok(pending.len())
}

/// The names of `M`'s migrations, in order.
pub(super) fn names<M: MigratorTrait>() -> Vec<String> {
    M::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect()
}

/// Which of `names` this database has not seen. Migrations of a newer release do not count
/// against it, so that an old replica stays ready while a new one rolls out.
pub(super) async fn pending<'c, C>(
    connection: &'c C,
    names: &[String],
) -> Result<Vec<String>, DbErr>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    let table = seaql_migrations::Entity.table_name();
    let applied: BTreeSet<String> = if SchemaManager::new(connection).has_table(table).await? {
        let rows = seaql_migrations::Entity::find().all(connection).await?;
        rows.into_iter().map(|row| row.version).collect()
    } else {
        BTreeSet::new()
    };
    Ok(names
        .iter()
        .filter(|name| !applied.contains(*name))
        .cloned()
        .collect())
}
