//! Sequences: how far each has come, and from where on it is whole. A person has one, and a course.
//!
//! Whoever writes takes places first. That locks the owner's row until the transaction ends, so that
//! places become visible in order and without gaps, however many write to one at once; and everybody
//! locks in this order: the owner, then what is theirs.

use std::collections::BTreeMap;

use lyceum_chassis::database::{Database, Kind, Rows};
use lyceum_contracts::ids::{CourseId, UserId};
use sea_orm::sea_query::Value;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryResult,
    QuerySelect, Statement, TryGetable,
};
use time::OffsetDateTime;

/// Who has a sequence.
pub(crate) trait Owner: Copy + Ord + Into<i64> + TryGetable {
    /// The table in which each has a row.
    const TABLE: &'static str;
    /// Whose row it is.
    const KEY: &'static str;
}

impl Owner for UserId {
    const TABLE: &'static str = "recipients";
    const KEY: &'static str = "user_id";
}

impl Owner for CourseId {
    const TABLE: &'static str = "course_sequences";
    const KEY: &'static str = "course_id";
}

/// Takes so many places of each of these sequences at once, and answers the last place each has come
/// to; those that have ended are left out. To take none is to open a sequence, or to keep it open:
/// nobody ends it until the transaction does.
///
/// Whoever writes to several takes them here together, lowest id first, so that two who do so
/// cannot wait for one another. Events of two services may overtake one another: the first thing
/// told can come before the owner does, or after its end. A transaction that is rolled back gives
/// the places back.
pub(crate) async fn take<O: Owner>(
    transaction: &impl ConnectionTrait,
    places: &BTreeMap<O, i64>,
) -> Result<BTreeMap<O, i64>, DbErr> {
    if places.is_empty() {
        return Ok(BTreeMap::new());
    }
    let columns = [("owner", Kind::Integer), ("places", Kind::Integer)];
    let rows = places.iter();
    let rows = Rows::new(
        columns,
        rows.map(|(owner, places)| [(*owner).into().into(), (*places).into()]),
    );
    let statement = rows.statement(transaction.get_database_backend(), [], |rows| {
        let (table, key) = (O::TABLE, O::KEY);
        format!(
            "INSERT INTO {table} ({key}, head_seq, floor_seq) \
             SELECT owner, places, 0 FROM {rows} WHERE true ORDER BY owner \
             ON CONFLICT ({key}) DO UPDATE SET head_seq = {table}.head_seq + excluded.head_seq \
             WHERE {table}.erased_at IS NULL RETURNING {key}, head_seq"
        )
    })?;
    let heads = transaction.query_all_raw(statement).await?;
    let head = |row: &QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    heads.iter().map(head).collect()
}

/// Takes the next place of one sequence; none when it has ended.
pub(crate) async fn advance<O: Owner>(
    transaction: &impl ConnectionTrait,
    owner: O,
) -> Result<Option<i64>, DbErr> {
    let heads = take(transaction, &BTreeMap::from([(owner, 1)])).await?;
    Ok(heads.get(&owner).copied())
}

/// Ends a sequence for good.
pub(crate) async fn end<O: Owner>(
    transaction: &impl ConnectionTrait,
    owner: O,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let (table, key) = (O::TABLE, O::KEY);
    let sql = format!(
        "INSERT INTO {table} ({key}, head_seq, floor_seq, erased_at) VALUES ($1, 0, 0, $2) \
         ON CONFLICT ({key}) DO UPDATE \
         SET erased_at = excluded.erased_at, floor_seq = {table}.head_seq"
    );
    execute(transaction, sql, [owner.into().into(), now.into()]).await
}

/// Deletes up to `limit` of the `rows` that are over, which stand at places of sequences; how many
/// it were. `columns` are their key, their owner and their place.
///
/// A place that is deleted cannot be told any more, so the floor of the sequence rises to it first:
/// a client from before it is told to begin anew.
pub(crate) async fn forget<E: EntityTrait, O: Owner>(
    database: &Database,
    columns: [E::Column; 3],
    over: Condition,
    limit: u64,
) -> Result<u64, DbErr> {
    let found: Vec<(i64, O, i64)> = E::find()
        .select_only()
        .columns(columns)
        .filter(over.clone())
        .limit(limit)
        .into_tuple()
        .all(database)
        .await?;
    if found.is_empty() {
        return Ok(0);
    }
    let mut floors = BTreeMap::new();
    for (_, owner, seq) in &found {
        let floor = floors.entry(*owner).or_insert(*seq);
        *floor = (*floor).max(*seq);
    }
    let transaction = database.begin_write().await?;
    // In order, so that two replicas which prune at once do not wait for each other for ever.
    for (owner, floor) in floors {
        raise_floor(&transaction, owner, floor).await?;
    }
    // Still over: somebody may have marked one as unread meanwhile.
    let [id, ..] = columns;
    let deleted = E::delete_many()
        .filter(id.is_in(found.iter().map(|(id, ..)| *id)))
        .filter(over)
        .exec(&transaction)
        .await?;
    transaction.commit().await?;
    Ok(deleted.rows_affected)
}

/// What stands up to `seq` may be deleted from now on: who has seen less starts anew.
async fn raise_floor<O: Owner>(
    transaction: &impl ConnectionTrait,
    owner: O,
    seq: i64,
) -> Result<(), DbErr> {
    let (table, key) = (O::TABLE, O::KEY);
    let sql = format!(
        "UPDATE {table} SET floor_seq = CASE WHEN floor_seq < $2 THEN $2 ELSE floor_seq END \
         WHERE {key} = $1"
    );
    execute(transaction, sql, [owner.into().into(), seq.into()]).await
}

async fn execute(
    transaction: &impl ConnectionTrait,
    sql: String,
    values: [Value; 2],
) -> Result<(), DbErr> {
    let backend = transaction.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, sql, values);
    transaction.execute_raw(statement).await.map(drop)
}
