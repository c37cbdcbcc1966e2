//! The service's own database: connect, migrate, ask, write, close.
//!
//! One handle, [`Database`], on `SQLite` or Postgres; stores take it, or a [`Transaction`], as
//! `&impl ConnectionTrait`. What differs between the engines is settled in the files below and
//! nowhere else: how a connection is set up (`target`, `pool`), who may write (`writers`), how
//! times are kept (`instant`), how many rows travel in one statement (`rows`), what a constraint is
//! called (`constraint`), how migrations exclude one another (`migrate`). What the pool goes through
//! is seen by `watch`. Queries belong to the services.

pub mod columns;
mod constraint;
mod error;
mod instant;
mod migrate;
mod pool;
mod rows;
mod settings;
mod stash;
mod statements;
mod target;
mod transaction;
mod watch;
mod writers;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lyceum_telemetry::database::Traced;
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, ExecResult, QueryResult, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

pub use sea_orm::DbErr;

pub use self::constraint::{FOREIGN_KEY, violated_constraint};
pub use self::error::{DatabaseError, NotReady, is_unavailable};
pub use self::rows::{Cell, Kind, Rows};
pub use self::settings::DatabaseSettings;
use self::stash::Stash;
use self::statements::Statements;
pub use self::target::Engine;
use self::target::Target;
pub use self::transaction::Transaction;
use self::watch::{Sizes, Watch};
use self::writers::Writers;

/// A handle to the service's database; clones share one pool.
///
/// It runs single statements, each with a span of its own. What belongs together goes through
/// [`Self::begin_write`]. There is no other way to begin a transaction: a `SQLite` transaction
/// that reads first and writes later fails as busy when another writer was faster.
#[derive(Clone)]
pub struct Database {
    /// What transactions are begun on.
    traced: Traced<DatabaseConnection>,
    statements: Traced<Statements>,
    stash: Option<Stash>,
    watch: Watch,
    writers: Writers,
    engine: Engine,
    migrations: Arc<Migrations>,
    _sizes: Arc<Sizes>,
}

struct Migrations {
    names: Vec<String>,
    /// Migrations are never taken back while a service runs, so once is enough.
    applied: AtomicBool,
}

impl Database {
    /// Connects, and applies `M`'s pending migrations if the settings say so.
    ///
    /// `service` is the short name an operator sees in `pg_stat_activity`.
    ///
    /// # Errors
    /// [`DatabaseError`], one line that names the setting to look at.
    pub async fn connect<M: MigratorTrait>(
        service: &str,
        settings: &DatabaseSettings,
    ) -> Result<Self, DatabaseError> {
        settings.check()?;
        let target = Target::parse(service, settings)?;
        let pool = pool::open(service, &target, settings).await?;
        if settings.migrate_on_start {
            migrate::apply::<M>(service, &target).await?;
        }
        let statements = Statements {
            pool: pool.connection.clone(),
            stash: pool.stash.clone(),
        };
        Ok(Self {
            statements: Traced::new(statements, settings.url.expose()),
            stash: pool.stash,
            traced: Traced::new(pool.connection, settings.url.expose()),
            watch: pool.watch,
            _sizes: pool.sizes,
            writers: Writers::new(target.engine(), settings.acquire_timeout()),
            engine: target.engine(),
            migrations: Arc::new(Migrations {
                names: migrate::names::<M>(),
                applied: AtomicBool::new(settings.migrate_on_start),
            }),
        })
    }

    /// Applies `M`'s pending migrations and nothing else; returns how many there were.
    ///
    /// # Errors
    /// [`DatabaseError`], one line that names the setting to look at.
    pub async fn migrate<M: MigratorTrait>(
        service: &str,
        settings: &DatabaseSettings,
    ) -> Result<usize, DatabaseError> {
        settings.check()?;
        let target = Target::parse(service, settings)?;
        pool::prove(&target, settings).await?;
        migrate::apply::<M>(service, &target).await
    }

    /// The engine below, for the few places where SQL must differ.
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Begins a transaction that may write from its first statement on. On `SQLite` it waits for
    /// its turn among the writers of this process.
    ///
    /// # Errors
    /// When no connection, or no turn, comes free within `database.acquire_timeout_ms`; see
    /// [`is_unavailable`].
    pub async fn begin_write(&self) -> Result<Transaction, DbErr> {
        let turn = self.writers.turn().await?;
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.stash.iter().for_each(Stash::give_back_if_dry);
        let begin = || self.watch.over(self.traced.begin_with_options(options));
        let inner = match begin().await {
            // Nothing was done on the connection that is gone.
            Err(error) if error::connection_is_lost(&error) => begin().await?,
            begun => begun?,
        };
        Ok(Transaction::new(inner, self.watch.clone(), turn))
    }

    /// Asks the database for a sign of life. Leaves no span.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ping(&self) -> Result<(), DbErr> {
        let pool = self.traced.inner();
        match pool.ping().await {
            Err(error) if error::connection_is_lost(&error) => {
                self.watch.learn(&error);
                pool.ping().await
            }
            answer => answer,
        }
    }

    /// Whether the service can work: the database answers and every migration is applied.
    /// Changes nothing, needs no right to change tables, leaves no span.
    ///
    /// # Errors
    /// [`NotReady`] says what is missing.
    pub async fn ready(&self) -> Result<(), NotReady> {
        if self.is_migrated() {
            return Ok(self.ping().await?);
        }
        self.migrated().await
    }

    /// Whether every migration was found applied. Asks nobody.
    pub(crate) fn is_migrated(&self) -> bool {
        self.migrations.applied.load(Ordering::Relaxed)
    }

    /// Whether every migration is applied. Once it is, nobody is asked.
    pub(crate) async fn migrated(&self) -> Result<(), NotReady> {
        if self.is_migrated() {
            return Ok(());
        }
        let pending = self.pending().await?;
        if pending.is_empty() {
            self.migrations.applied.store(true, Ordering::Relaxed);
            Ok(())
        } else {
            Err(NotReady::Pending(pending))
        }
    }

    /// The names of migrations this database has not seen yet.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn pending(&self) -> Result<Vec<String>, DbErr> {
        migrate::pending(self.traced.inner(), &self.migrations.names).await
    }

    /// What to send once more if the connection turns out to be gone: a read, which can be sent
    /// twice. Whether a write had its effect nobody knows, so its caller is told. A file cannot
    /// hang up.
    fn repeatable(&self, statement: &Statement) -> Option<Statement> {
        let repeats = self.engine == Engine::Postgres && writers::only_reads(&statement.sql);
        repeats.then(|| statement.clone())
    }

    /// Gives back connections that workers have kept for too long, until told to stop; for a
    /// background task.
    pub(crate) async fn tidy(self, stop: CancellationToken) {
        let work = async {
            loop {
                sleep(stash::KEPT_FOR).await;
                self.stash.iter().for_each(Stash::give_back_old);
            }
        };
        stop.run_until_cancelled(work).await;
    }

    /// Closes the pool, after every connection has come back. Later statements fail.
    pub async fn close(&self) {
        self.stash.iter().for_each(Stash::give_back_all);
        if let Err(error) = self.traced.inner().close_by_ref().await {
            tracing::warn!(event = "database.close_failed", %error, "the pool did not close");
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ConnectionTrait for Database {
    fn get_database_backend(&self) -> DbBackend {
        self.traced.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let statement = instant::adapt(self.get_database_backend(), statement)?;
        let _turn = self.writers.turn_for(&statement.sql).await?;
        self.watch
            .over(self.statements.execute_raw(statement))
            .await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let _turn = self.writers.turn_for(sql).await?;
        self.watch.over(self.traced.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let statement = instant::adapt(self.get_database_backend(), statement)?;
        let _turn = self.writers.turn_for(&statement.sql).await?;
        let again = self.repeatable(&statement);
        let first = self
            .watch
            .over(self.statements.query_one_raw(statement))
            .await;
        match (again, first) {
            (Some(again), Err(error)) if error::connection_is_lost(&error) => {
                self.watch.over(self.statements.query_one_raw(again)).await
            }
            (_, first) => first,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let statement = instant::adapt(self.get_database_backend(), statement)?;
        let _turn = self.writers.turn_for(&statement.sql).await?;
        let again = self.repeatable(&statement);
        let first = self
            .watch
            .over(self.statements.query_all_raw(statement))
            .await;
        match (again, first) {
            (Some(again), Err(error)) if error::connection_is_lost(&error) => {
                self.watch.over(self.statements.query_all_raw(again)).await
            }
            (_, first) => first,
        }
    }
}
