//! Claims on the rows of a table.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, FromQueryResult, ModelTrait, QueryFilter, QueryTrait,
    Statement, UpdateMany, UpdateResult,
};
use time::OffsetDateTime;

use crate::database::{Database, Engine};

/// A table whose rows are claimed. It has the columns `id`, `claims` and `due_at`, and one for where
/// a row stands: at `queued` it waits to be claimed.
pub trait Claimable: EntityTrait {
    /// The column for where a row stands.
    const STATE: &'static str;
    /// The word there for a row that is claimed.
    const CLAIMED: &'static str;
    /// What else a claim writes: SQL that begins with a comma, or nothing; `$1` is now.
    const ALSO: &'static str;

    /// The id of a row, and the number of its claim.
    fn claim_of(row: &Self::Model) -> (i64, i64);
}

/// Whether a claim still counted when it was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Hold {
    /// What was to be written is.
    Kept,
    /// Somebody else has claimed the row since, or it has come to its end: nothing was written.
    Lost,
}

impl From<UpdateResult> for Hold {
    fn from(update: UpdateResult) -> Self {
        if update.rows_affected == 1 {
            Self::Kept
        } else {
            Self::Lost
        }
    }
}

/// Takes up to `limit` rows that are due, the longest due first, until `lease_end`, in one
/// statement; they come in the order of their ids. What another replica is claiming, or holds, is
/// skipped, not waited for.
///
/// # Errors
/// When the database fails.
pub async fn claim<E: Claimable>(
    database: &Database,
    now: OffsetDateTime,
    lease_end: OffsetDateTime,
    limit: u64,
) -> Result<Vec<E::Model>, DbErr> {
    let backend = database.get_database_backend();
    let (state, claimed) = (E::STATE, E::CLAIMED);
    let due = format!("{state} IN ('queued', '{claimed}') AND due_at <= $1");
    if database.engine() == Engine::Sqlite {
        // A look needs no turn to write.
        let table = E::default().table_name();
        let look = format!("SELECT 1 FROM {table} WHERE {due} LIMIT 1");
        let look = Statement::from_sql_and_values(backend, look, [now.into()]);
        if database.query_one_raw(look).await?.is_none() {
            return Ok(Vec::new());
        }
    }
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = claiming::<E>(
        database.engine(),
        &format!("{due} ORDER BY due_at LIMIT $3"),
    );
    let values = [now.into(), lease_end.into(), limit.into()];
    let claim = Statement::from_sql_and_values(backend, sql, values);
    take::<E>(database, claim).await
}

/// The SQL that claims the rows `which` says: a condition, and what may follow one. `$1` is now,
/// `$2` the end of the lease.
pub fn claiming<E: Claimable>(engine: Engine, which: &str) -> String {
    let table = E::default().table_name();
    let (state, claimed, also) = (E::STATE, E::CLAIMED, E::ALSO);
    let skip = match engine {
        Engine::Postgres => "FOR UPDATE SKIP LOCKED",
        Engine::Sqlite => "",
    };
    // Materialised: a planner that runs it once per row would claim more than the limit.
    format!(
        "WITH due AS MATERIALIZED (SELECT id AS due_id FROM {table} WHERE {which} {skip}) \
         UPDATE {table} SET {state} = '{claimed}', claims = claims + 1, due_at = $2{also} \
         FROM due WHERE {table}.id = due.due_id RETURNING *"
    )
}

/// Claims by such a statement; the rows come in the order of their ids.
///
/// # Errors
/// When the database fails.
pub async fn take<E: Claimable>(
    database: &Database,
    claim: Statement,
) -> Result<Vec<E::Model>, DbErr> {
    let rows = database.query_all_raw(claim).await?;
    let mut claimed = rows
        .iter()
        .map(|row| E::Model::from_query_result(row, ""))
        .collect::<Result<Vec<_>, _>>()?;
    claimed.sort_unstable_by_key(|row| E::claim_of(row).0);
    Ok(claimed)
}

/// A write that has its effect only while `claim` is the newest and the row has not come to its
/// end.
pub fn held<M, E>(claim: &M) -> UpdateMany<E>
where
    M: ModelTrait<Entity = E>,
    E: Claimable<Model = M>,
{
    let (id, number) = E::claim_of(claim);
    E::update_many()
        .filter(Expr::col("id").eq(id))
        .filter(Expr::col("claims").eq(number))
        .filter(Expr::col(E::STATE).eq(E::CLAIMED))
}

/// Prolongs a claim, and keeps the row from everybody else until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn hold<M, E>(
    transaction: &impl ConnectionTrait,
    claim: &M,
    lease_end: OffsetDateTime,
) -> Result<Hold, DbErr>
where
    M: ModelTrait<Entity = E>,
    E: Claimable<Model = M>,
{
    let mut hold = held(claim);
    QueryTrait::query(&mut hold).value("due_at", lease_end);
    hold.exec(transaction).await.map(Hold::from)
}
