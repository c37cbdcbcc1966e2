//! A transaction that writes, from `begin_write` to `commit`.

use lyceum_telemetry::database::Traced;
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    TransactionSession,
};

use super::instant;
use super::watch::Watch;
use super::writers::Turn;

/// Everything inside happens, or nothing does. Dropped without [`Self::commit`], nothing does.
///
/// A command begins it, passes it to store functions and commits it. It holds a connection, and
/// on `SQLite` the one right to write, so no request to another service is made meanwhile.
#[must_use = "dropping a transaction rolls it back"]
#[derive(Debug)]
pub struct Transaction {
    // Declared before the turn: rolls back, then lets the next writer in.
    inner: Traced<DatabaseTransaction>,
    watch: Watch,
    _turn: Turn,
}

impl Transaction {
    pub(super) const fn new(inner: Traced<DatabaseTransaction>, watch: Watch, turn: Turn) -> Self {
        Self {
            inner,
            watch,
            _turn: turn,
        }
    }

    /// Makes it true for everybody.
    ///
    /// # Errors
    /// When the connection is lost meanwhile, the outcome is unknown.
    pub async fn commit(self) -> Result<(), DbErr> {
        let outcome = self.inner.commit().await;
        self.watch.learning(outcome)
    }

    /// Ends it without effect; dropping does the same a moment later.
    ///
    /// # Errors
    /// When the connection is lost; nothing has happened then either.
    pub async fn rollback(self) -> Result<(), DbErr> {
        let outcome = self.inner.rollback().await;
        self.watch.learning(outcome)
    }

    fn adapt(&self, statement: Statement) -> Result<Statement, DbErr> {
        instant::adapt(self.inner.get_database_backend(), statement)
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.watch
            .within(self.inner.execute_raw(self.adapt(statement)?))
            .await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.watch.within(self.inner.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.watch
            .within(self.inner.query_one_raw(self.adapt(statement)?))
            .await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.watch
            .within(self.inner.query_all_raw(self.adapt(statement)?))
            .await
    }
}
