//! Single statements, on connections that workers keep.

use sea_orm::sea_query::Values;
use sea_orm::sqlx::{self, Postgres};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement,
};
use sea_orm_migration::async_trait::async_trait;
use sea_query_sqlx::SqlxValues;

use super::stash::Stash;

/// Runs statements one by one; on Postgres past the pool, as far as that can be.
#[derive(Clone)]
pub(super) struct Statements {
    pub(super) pool: DatabaseConnection,
    /// None on `SQLite`, whose connections cost nothing to give back.
    pub(super) stash: Option<Stash>,
}

#[async_trait]
impl ConnectionTrait for Statements {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let Some(stash) = &self.stash else {
            return self.pool.execute_raw(statement).await;
        };
        let mut leased = stash.take().await?;
        let done = query(&statement).execute(&mut *leased.connection).await;
        let done = done.map_err(|error| DbErr::Exec(RuntimeErr::SqlxError(error.into())))?;
        stash.keep(leased);
        Ok(done.into())
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.pool.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let Some(stash) = &self.stash else {
            return self.pool.query_one_raw(statement).await;
        };
        let mut leased = stash.take().await?;
        let row = query(&statement).fetch_optional(&mut *leased.connection);
        let row = row.await.map_err(not_queried)?;
        stash.keep(leased);
        Ok(row.map(Into::into))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let Some(stash) = &self.stash else {
            return self.pool.query_all_raw(statement).await;
        };
        let mut leased = stash.take().await?;
        let rows = query(&statement).fetch_all(&mut *leased.connection);
        let rows = rows.await.map_err(not_queried)?;
        stash.keep(leased);
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

fn query(statement: &Statement) -> sqlx::query::Query<'_, Postgres, SqlxValues> {
    let values = statement.values.clone().unwrap_or(Values(Vec::new()));
    // Statements are written by this program; what comes from outside is in the values.
    let sql = sqlx::AssertSqlSafe(statement.sql.as_str());
    sqlx::query_with(sql, SqlxValues(values))
}

fn not_queried(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
