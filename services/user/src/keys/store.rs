//! Queries on revocations.
//!
//! Ids are given when a row is written and seen when its transaction commits, which is another
//! order: who asks for what comes after an id can miss a row for ever. So a row gets its place in
//! the list (`seq`) when it has been committed, from whoever looks first.

use lyceum_chassis::database::{Database, DbErr, violated_constraint};
use lyceum_contracts::revocation::{Revocation, RevokedTokens};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use time::OffsetDateTime;

use crate::entity::revocation::{self, Column, Entity};

/// The most revocations read at once.
pub(super) const PAGE: u64 = 1_000;

/// How often a process that was too late to give places tries again, before it leaves the rest to
/// its next round.
const TRIES: u32 = 3;

/// The next places go to the rows that have none, oldest first. Of two processes at once one fails
/// by the constraint: a place is given only when the one before can be seen.
const NUMBER: &str = "UPDATE revocations SET seq = numbered.seq FROM \
    (SELECT id, ROW_NUMBER() OVER (ORDER BY id) \
     + (SELECT COALESCE(MAX(seq), 0) FROM revocations) AS seq \
     FROM revocations WHERE seq IS NULL) AS numbered \
    WHERE revocations.id = numbered.id AND revocations.seq IS NULL";

/// Gives committed rows their places. With none to give this is one read.
pub(super) async fn number(database: &Database) -> Result<(), DbErr> {
    let waiting = Entity::find()
        .filter(Column::Seq.is_null())
        .limit(1)
        .count(database);
    if waiting.await? == 0 {
        return Ok(());
    }
    let mut tries = 0..TRIES;
    loop {
        match database.execute_unprepared(NUMBER).await {
            Err(error) if violated_constraint(&error).is_some() && tries.next().is_some() => {}
            outcome => return outcome.map(drop),
        }
    }
}

/// The last place given; 0 when there is none.
pub(super) async fn head(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let head: Option<Option<i64>> = Entity::find()
        .select_only()
        .expr(Column::Seq.max())
        .into_tuple()
        .one(db)
        .await?;
    Ok(head.flatten().unwrap_or_default())
}

/// What comes after a place, in order, of what is still of use; at most [`PAGE`].
pub(super) async fn after(
    db: &impl ConnectionTrait,
    place: i64,
    now: OffsetDateTime,
) -> Result<Vec<Revocation>, DbErr> {
    let rows = Entity::find()
        .filter(Column::Seq.gt(place))
        .filter(Column::ExpiresAt.gt(now))
        .order_by_asc(Column::Seq)
        .limit(PAGE)
        .all(db)
        .await?;
    Ok(rows.iter().filter_map(revocation).collect())
}

fn revocation(row: &revocation::Model) -> Option<Revocation> {
    let tokens = match (row.session_id, row.below_version) {
        (Some(session_id), _) => RevokedTokens::OfSession { session_id },
        (None, Some(below_version)) => RevokedTokens::OlderVersions { below_version },
        (None, None) => return None,
    };
    Some(Revocation {
        seq: row.seq?,
        user_id: row.user_id,
        tokens,
        revoked_at: row.revoked_at,
        expires_at: row.expires_at,
    })
}

/// Forgets what is of no use any more. The last place stays: the next one is counted from it.
pub(super) async fn delete_expired(
    db: &impl ConnectionTrait,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let head = head(db).await?;
    Entity::delete_many()
        .filter(Column::ExpiresAt.lte(now))
        .filter(Column::Seq.lt(head))
        .exec(db)
        .await?;
    Ok(())
}
