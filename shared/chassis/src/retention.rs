//! Rows whose time is over, and the task that deletes them.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PrimaryKeyTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select, Value,
};
use time::OffsetDateTime;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::database::Database;

type Key<E> = <<E as EntityTrait>::PrimaryKey as PrimaryKeyTrait>::ValueType;

type Delete =
    dyn Fn(Database, OffsetDateTime, u64) -> BoxFuture<'static, Result<u64, DbErr>> + Send + Sync;

/// Deletes the rows of one kind whose time is over, for ever and in batches. Clones do the same.
///
/// [`Chassis::prune`](crate::Chassis::prune) starts one.
#[derive(Clone)]
pub struct Pruner {
    rows: &'static str,
    database: Database,
    pace: Pace,
    delete: Arc<Delete>,
}

/// How often, and how much at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// From one look to the next: how much longer than need be a row may stay.
    pub every: Duration,
    /// Rows deleted by one statement: few enough that nobody waits for it, on `SQLite` every
    /// writer.
    pub batch: u64,
}

impl Pruner {
    /// `rows` says what is deleted, for people, such as "audit entries". `delete` is given a moment
    /// and a number, deletes up to so many rows whose time is over then, and says how many it were.
    pub fn new<D, F>(rows: &'static str, database: Database, pace: Pace, delete: D) -> Self
    where
        D: Fn(Database, OffsetDateTime, u64) -> F + Send + Sync + 'static,
        F: Future<Output = Result<u64, DbErr>> + Send + 'static,
    {
        Self {
            rows,
            database,
            pace,
            delete: Arc::new(move |database, now, limit| Box::pin(delete(database, now, limit))),
        }
    }

    /// One of the rows for which `over` holds at a moment; see [`delete_over`]. `key` is their
    /// primary key.
    pub fn of<E>(
        rows: &'static str,
        database: &Database,
        pace: Pace,
        key: E::Column,
        over: impl Fn(OffsetDateTime) -> Expr + Send + Sync + 'static,
    ) -> Self
    where
        E: EntityTrait,
        Key<E>: Into<Value>,
    {
        Self::new(rows, database.clone(), pace, move |database, now, limit| {
            let over = over(now);
            async move { delete_over::<E>(&database, key, over, limit).await }
        })
    }

    /// One of the rows for which `over` holds at a moment, where that comes in the order of the
    /// keys: a batch is what is over among the lowest keys, so no index is needed, and the rest of
    /// the table is not looked at.
    pub fn of_oldest<E>(
        rows: &'static str,
        database: &Database,
        pace: Pace,
        key: E::Column,
        over: impl Fn(OffsetDateTime) -> Expr + Send + Sync + 'static,
    ) -> Self
    where
        E: EntityTrait,
        Key<E>: Into<Value>,
    {
        Self::new(rows, database.clone(), pace, move |database, now, limit| {
            let oldest = E::find().select_only().column(key).order_by_asc(key);
            let oldest = key.in_subquery(oldest.limit(limit).into_query());
            let over = over(now);
            let found = E::find().filter(oldest).filter(over.clone());
            async move { delete::<E>(&database, key, found, over).await }
        })
    }

    /// What is deleted; the name of the task.
    pub(crate) const fn rows(&self) -> &'static str {
        self.rows
    }

    /// Deletes every row whose time is over at `now`, batch after batch; how many it were.
    ///
    /// # Errors
    /// When the database fails; what was deleted by then stays so.
    pub async fn prune(&self, now: OffsetDateTime) -> Result<u64, DbErr> {
        let limit = self.pace.batch;
        let mut pruned = 0;
        loop {
            let batch = (self.delete)(self.database.clone(), now, limit).await?;
            pruned += batch;
            if batch < limit {
                return Ok(pruned);
            }
        }
    }

    /// Looks at once and then again and again, until told to stop, which also ends a long pass:
    /// each batch is a statement of its own.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut failing = false;
        let work = async {
            loop {
                failing = self.pass(failing).await;
                sleep(self.pace.every).await;
            }
        };
        stop.run_until_cancelled(work).await;
    }

    /// One look; whether it failed.
    async fn pass(&self, failing: bool) -> bool {
        // Without tables there are no rows; requests are told so, and look for them.
        if self.database.migrated().await.is_err() {
            return failing;
        }
        let rows = self.rows;
        match self.prune(clock::now()).await {
            Ok(0) => false,
            Ok(count) => {
                tracing::debug!(
                    event = "rows.pruned",
                    rows,
                    count,
                    "what is over is deleted"
                );
                false
            }
            Err(error) => {
                // One line when it begins, not one per look.
                if !failing {
                    tracing::warn!(
                        event = "rows.prune_failed",
                        rows,
                        %error,
                        "what is over stays for now"
                    );
                }
                true
            }
        }
    }
}

/// Deletes up to `limit` rows of an entity that are `over`; how many it were. `key` is its primary
/// key.
///
/// They are looked for first: with none this is one read, and on `SQLite` no turn to write.
///
/// # Errors
/// When the database fails.
pub async fn delete_over<E>(
    db: &impl ConnectionTrait,
    key: E::Column,
    over: Expr,
    limit: u64,
) -> Result<u64, DbErr>
where
    E: EntityTrait,
    Key<E>: Into<Value>,
{
    let found = E::find().filter(over.clone()).limit(limit);
    delete::<E>(db, key, found, over).await
}

async fn delete<E>(
    db: &impl ConnectionTrait,
    key: E::Column,
    found: Select<E>,
    over: Expr,
) -> Result<u64, DbErr>
where
    E: EntityTrait,
    Key<E>: Into<Value>,
{
    let keys = found.select_only().column(key).into_tuple::<Key<E>>();
    let keys = keys.all(db).await?;
    if keys.is_empty() {
        return Ok(0);
    }
    // Still over: somebody may have changed one meanwhile.
    let deleted = E::delete_many().filter(key.is_in(keys)).filter(over);
    Ok(deleted.exec(db).await?.rows_affected)
}

impl fmt::Debug for Pruner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pruner")
            .field("rows", &self.rows)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}
