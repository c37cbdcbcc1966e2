//! Transactions of a traced connection: `BEGIN`, `COMMIT` and `ROLLBACK` are spans like any statement.
//! A transaction that is dropped rolls back when its connection is next used; that happens inside the pool,
//! outside any request, and leaves no span.

use sea_orm::{
    AccessMode, DbErr, IsolationLevel, SqliteTransactionMode, TransactionError, TransactionOptions,
    TransactionSession, TransactionTrait, prelude::async_trait,
};
use std::{
    fmt::{Debug, Display},
    future::Future,
    pin::Pin,
    sync::Arc,
};

use super::{Traced, span::Observation, target::Target};

type Boxed<'c, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>;

#[async_trait::async_trait]
impl<C> TransactionTrait for Traced<C>
where
    C: TransactionTrait,
{
    type Transaction = Traced<C::Transaction>;

    async fn begin(&self) -> Result<Self::Transaction, DbErr> {
        self.begin_with_options(TransactionOptions::default()).await
    }

    async fn begin_with_config(
        &self,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<Self::Transaction, DbErr> {
        let options = TransactionOptions {
            isolation_level,
            access_mode,
            ..TransactionOptions::default()
        };
        self.begin_with_options(options).await
    }

    async fn begin_with_options(
        &self,
        options: TransactionOptions,
    ) -> Result<Self::Transaction, DbErr> {
        let observation =
            Observation::start(&self.target, begin_text(&self.target.target, options));
        let inner = observation
            .of(self.inner.begin_with_options(options))
            .await?;
        Ok(Traced {
            inner,
            target: Arc::clone(&self.target),
        })
    }

    async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self::Transaction) -> Boxed<'c, T, E> + Send,
        T: Send,
        E: Display + Debug + Send,
    {
        self.transaction_with_config(callback, None, None).await
    }

    async fn transaction_with_config<F, T, E>(
        &self,
        callback: F,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self::Transaction) -> Boxed<'c, T, E> + Send,
        T: Send,
        E: Display + Debug + Send,
    {
        let begun = self.begin_with_config(isolation_level, access_mode).await;
        let transaction = begun.map_err(TransactionError::Connection)?;
        match callback(&transaction).await {
            Ok(value) => {
                transaction
                    .commit()
                    .await
                    .map_err(TransactionError::Connection)?;
                Ok(value)
            }
            Err(error) => {
                transaction
                    .rollback()
                    .await
                    .map_err(TransactionError::Connection)?;
                Err(TransactionError::Transaction(error))
            }
        }
    }
}

#[async_trait::async_trait]
impl<C: TransactionSession + Send> TransactionSession for Traced<C> {
    async fn commit(self) -> Result<(), DbErr> {
        let Self { inner, target } = self;
        Observation::start(&target, "COMMIT")
            .of(inner.commit())
            .await
    }

    async fn rollback(self) -> Result<(), DbErr> {
        let Self { inner, target } = self;
        Observation::start(&target, "ROLLBACK")
            .of(inner.rollback())
            .await
    }
}

/// What the driver sends; only SQLite knows modes.
fn begin_text(target: &Target, options: TransactionOptions) -> &'static str {
    match options.sqlite_transaction_mode {
        Some(SqliteTransactionMode::Immediate) if target.system == "sqlite" => "BEGIN IMMEDIATE",
        Some(SqliteTransactionMode::Exclusive) if target.system == "sqlite" => "BEGIN EXCLUSIVE",
        _ => "BEGIN",
    }
}
