//! One CLIENT span and one duration per database statement, under the stable `db.*` names.
//!
//! [`Traced`] wraps a sea-orm connection or transaction and is one itself, so that stores that take
//! `&impl ConnectionTrait` never notice. sea-orm's own `tracing-spans` feature speaks the retired names.
//! A span is made only inside a trace that is recorded: a worker that polls every second, a probe and a start-up
//! migration leave durations but no one-span traces. Waiting for the pool is part of a statement's time.

mod known;
mod span;
mod statement;
mod target;
mod transaction;

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, prelude::async_trait,
};
use std::sync::Arc;

use known::Known;
use span::Observation;
use target::Target;

/// A connection, pool or transaction whose statements are observed.
#[derive(Clone, Debug)]
pub struct Traced<C> {
    inner: C,
    target: Arc<Known>,
}

impl<C: ConnectionTrait> Traced<C> {
    /// Wraps `inner`, which is connected to `url`; of the URL only host, port and database name are kept.
    pub fn new(inner: C, url: &str) -> Self {
        let target = Target::of(inner.get_database_backend(), url);
        Self {
            inner,
            target: Arc::new(Known::new(target)),
        }
    }
}

impl<C> Traced<C> {
    /// The connection itself, unobserved: for migrations and for closing the pool.
    pub fn inner(&self) -> &C {
        &self.inner
    }
}

#[async_trait::async_trait]
impl<C: ConnectionTrait> ConnectionTrait for Traced<C> {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        Observation::start(&self.target, &statement.sql)
            .of(self.inner.execute_raw(statement))
            .await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        Observation::start(&self.target, sql)
            .of(self.inner.execute_unprepared(sql))
            .await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Observation::start(&self.target, &statement.sql)
            .of(self.inner.query_one_raw(statement))
            .await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        Observation::start(&self.target, &statement.sql)
            .of(self.inner.query_all_raw(statement))
            .await
    }

    fn support_returning(&self) -> bool {
        self.inner.support_returning()
    }

    fn is_mock_connection(&self) -> bool {
        self.inner.is_mock_connection()
    }
}
