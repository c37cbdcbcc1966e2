//! Queries that claim letters.
//!
//! A claim is a lease: `due_at` moves to its end, and the number in `claims` is what proves later
//! that nobody has claimed the letter since.

use lyceum_chassis::database::{Database, DbErr, Engine, Kind, Rows};
use lyceum_contracts::delivery::DeliveryState;
use lyceum_contracts::ids::{DeliveryId, UserId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Set,
    Statement,
};
use time::OffsetDateTime;

use super::letter::Content;
use super::store::OPEN;
use crate::entity::mail::{ActiveModel, Column, Entity, Model};

/// Letters that go to all readers of a claim together at most; the rest follows with the next.
const MOST_GATHERED: i64 = 500;

/// Takes up to `limit` letters that are due, the longest due first, until `lease_end`, in one
/// statement. Another replica's are skipped, not waited for.
///
/// A letter whose last claim ended without a word counts one more attempt: whatever takes the
/// process down is not tried for ever.
pub(super) async fn claim(
    database: &Database,
    now: OffsetDateTime,
    lease_end: OffsetDateTime,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let skip = match database.engine() {
        Engine::Postgres => "FOR UPDATE SKIP LOCKED",
        Engine::Sqlite => {
            // A look needs no turn to write.
            if !any_due(database, now).await? {
                return Ok(Vec::new());
            }
            ""
        }
    };
    let sql = claim_those(&format!(
        "state IN ('queued', 'sending') AND due_at <= $1 ORDER BY due_at LIMIT $3 {skip}"
    ));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [now.into(), lease_end.into(), limit.into()];
    let backend = database.get_database_backend();
    take(
        database,
        Statement::from_sql_and_values(backend, sql, values),
    )
    .await
}

/// Takes the letters to `people` that are gathered to others, until `lease_end`, whenever they are
/// due: what goes to somebody goes together. Another replica's are skipped, not waited for.
pub(super) async fn claim_gathered(
    database: &Database,
    people: &[UserId],
    now: OffsetDateTime,
    lease_end: OffsetDateTime,
) -> Result<Vec<Model>, DbErr> {
    let skip = match database.engine() {
        Engine::Postgres => "FOR UPDATE SKIP LOCKED",
        Engine::Sqlite => "",
    };
    let people = people.iter().map(|user| [user.get().into()]);
    let people = Rows::new([("person", Kind::Integer)], people);
    let values = [now.into(), lease_end.into(), MOST_GATHERED.into()];
    let claim = people.statement(database.get_database_backend(), values, |people| {
        claim_those(&format!(
            "state = 'queued' AND user_id IN (SELECT person FROM {people}) \
             AND template IN ('{}') ORDER BY id LIMIT $3 {skip}",
            Content::GATHERED.join("', '"),
        ))
    })?;
    take(database, claim).await
}

/// Materialised: a planner that runs it once per row would claim more than the limit.
fn claim_those(which: &str) -> String {
    format!(
        "WITH due AS MATERIALIZED (SELECT id AS due_id FROM mails WHERE {which}) \
         UPDATE mails SET attempts = attempts + CASE WHEN state = 'sending' THEN 1 ELSE 0 END, \
         state = 'sending', claims = claims + 1, due_at = $2, updated_at = $1 \
         FROM due WHERE mails.id = due.due_id RETURNING *"
    )
}

async fn take(database: &Database, claim: Statement) -> Result<Vec<Model>, DbErr> {
    let rows = database.query_all_raw(claim).await?;
    let mut claimed = rows
        .iter()
        .map(|row| Model::from_query_result(row, ""))
        .collect::<Result<Vec<_>, _>>()?;
    claimed.sort_unstable_by_key(|mail| mail.id);
    Ok(claimed)
}

async fn any_due(db: &impl ConnectionTrait, now: OffsetDateTime) -> Result<bool, DbErr> {
    let due = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::State.is_in(OPEN))
        .filter(Column::DueAt.lte(now))
        .into_tuple::<DeliveryId>()
        .one(db)
        .await?;
    Ok(due.is_some())
}

/// Gives claimed letters back, due at once and not counted; those claimed anew since are left alone.
pub(super) async fn release(
    db: &impl ConnectionTrait,
    claims: &[Model],
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    // All of one claim have the same end of the lease, which is what proves that they still are.
    let Some(lease_end) = claims.first().map(|mail| mail.due_at) else {
        return Ok(());
    };
    Entity::update_many()
        .set(ActiveModel {
            state: Set(DeliveryState::Queued),
            due_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        })
        .filter(Column::Id.is_in(claims.iter().map(|mail| mail.id)))
        .filter(Column::State.eq(DeliveryState::Sending))
        .filter(Column::DueAt.eq(lease_end))
        .exec(db)
        .await
        .map(drop)
}
