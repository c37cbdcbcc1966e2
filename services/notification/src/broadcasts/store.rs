//! Queries on broadcasts.
//!
//! A claim is a lease: `due_at` moves to its end, and the number in `claims` is what proves later
//! that nobody has claimed the broadcast since.

use lyceum_chassis::database::{Database, DbErr};
use lyceum_chassis::http::Window;
use lyceum_contracts::ids::{BroadcastId, UserId};
use lyceum_contracts::job::JobStatus;
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set, UpdateMany,
};
use time::OffsetDateTime;

use crate::entity::broadcast::{ActiveModel, Column, Entity, Model};

/// Still to end.
const UNFINISHED: [JobStatus; 2] = [JobStatus::Queued, JobStatus::Running];
/// Ended.
pub(super) const FINISHED: [JobStatus; 3] = [
    JobStatus::Succeeded,
    JobStatus::Failed,
    JobStatus::Cancelled,
];

/// Writes a new one.
pub(super) async fn insert(db: &impl ConnectionTrait, row: ActiveModel) -> Result<Model, DbErr> {
    row.insert(db).await
}

/// The one with this id.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    id: BroadcastId,
) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// One page, newest first, and one row more.
pub(super) async fn list(db: &impl ConnectionTrait, window: Window) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().order_by_desc(Column::Id);
    if let Some(after) = window.after {
        query = query.filter(Column::Id.lt(after));
    }
    query.offset(window.skip).limit(window.rows()).all(db).await
}

/// Takes the one that has been due for longest, until `lease_end`.
///
/// One that another replica is claiming, or is inside a step of, is skipped, not waited for. With
/// nothing due this is one read: no transaction, and on `SQLite` no turn to write.
pub(super) async fn claim(
    database: &Database,
    now: OffsetDateTime,
    lease_end: OffsetDateTime,
) -> Result<Option<Model>, DbErr> {
    let due = Entity::find()
        .filter(Column::Status.is_in(UNFINISHED))
        .filter(Column::DueAt.lte(now))
        .order_by_asc(Column::DueAt)
        .limit(1);
    if due.clone().one(database).await?.is_none() {
        return Ok(None);
    }
    let transaction = database.begin_write().await?;
    let found = due
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .one(&transaction)
        .await?;
    let Some(found) = found else { return Ok(None) };
    let claimed = Model {
        status: JobStatus::Running,
        claims: found.claims + 1,
        due_at: lease_end,
        ..found
    };
    Entity::update_many()
        .set(ActiveModel {
            status: Set(claimed.status),
            claims: Set(claimed.claims),
            due_at: Set(claimed.due_at),
            ..Default::default()
        })
        .filter(Column::Id.eq(claimed.id))
        .exec(&transaction)
        .await?;
    transaction.commit().await?;
    Ok(Some(claimed))
}

/// A write that has its effect only while `claim` is the newest and nobody has cancelled it.
fn held(claim: &Model) -> UpdateMany<Entity> {
    Entity::update_many()
        .filter(Column::Id.eq(claim.id))
        .filter(Column::Claims.eq(claim.claims))
        .filter(Column::Status.eq(JobStatus::Running))
}

/// Whether a claim still counted when it was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Hold {
    Kept,
    Lost,
}

impl Hold {
    fn of(rows: u64) -> Self {
        if rows == 1 { Self::Kept } else { Self::Lost }
    }
}

/// Prolongs a claim, and keeps the broadcast from everybody else until the transaction ends.
pub(super) async fn hold(
    transaction: &impl ConnectionTrait,
    claim: &Model,
    lease_end: OffsetDateTime,
) -> Result<Hold, DbErr> {
    let held = held(claim)
        .col_expr(Column::DueAt, Expr::value(lease_end))
        .exec(transaction)
        .await?;
    Ok(Hold::of(held.rows_affected))
}

/// Writes how far a broadcast that is held has come, and whether that is its end.
pub(super) async fn advance(
    transaction: &impl ConnectionTrait,
    claim: &Model,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    held(claim)
        .set(ActiveModel {
            status: Set(claim.status),
            after_id: Set(claim.after_id),
            told: Set(claim.told),
            skipped: Set(claim.skipped),
            total: Set(claim.total),
            error: Set(None),
            attempts: Set(0),
            updated_at: Set(now),
            ..Default::default()
        })
        .exec(transaction)
        .await
        .map(drop)
}

/// Gives one up, with the reason that admins read.
pub(super) async fn fail(
    db: &impl ConnectionTrait,
    claim: &Model,
    error: &str,
    now: OffsetDateTime,
) -> Result<Hold, DbErr> {
    let failed = held(claim)
        .set(ActiveModel {
            status: Set(JobStatus::Failed),
            error: Set(Some(error.to_owned())),
            updated_at: Set(now),
            ..Default::default()
        })
        .exec(db)
        .await?;
    Ok(Hold::of(failed.rows_affected))
}

/// Gives one back as it stands: anybody's from `claim.due_at` on.
pub(super) async fn give_back(db: &impl ConnectionTrait, claim: &Model) -> Result<Hold, DbErr> {
    let given = held(claim)
        .set(ActiveModel {
            status: Set(JobStatus::Queued),
            attempts: Set(claim.attempts),
            error: Set(claim.error.clone()),
            due_at: Set(claim.due_at),
            ..Default::default()
        })
        .exec(db)
        .await?;
    Ok(Hold::of(given.rows_affected))
}

/// Ends one that has not ended yet, after the step that is under way; whether there was one.
pub(super) async fn cancel(
    db: &impl ConnectionTrait,
    id: BroadcastId,
    now: OffsetDateTime,
) -> Result<bool, DbErr> {
    let cancelled = Entity::update_many()
        .set(ActiveModel {
            status: Set(JobStatus::Cancelled),
            updated_at: Set(now),
            ..Default::default()
        })
        .filter(Column::Id.eq(id))
        .filter(Column::Status.is_in(UNFINISHED))
        .exec(db)
        .await?;
    Ok(cancelled.rows_affected == 1)
}

/// How many are still to end.
pub(super) async fn count_unfinished(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::Status.is_in(UNFINISHED))
        .count(db)
        .await
}

/// Forgets who asked for them.
pub(crate) async fn erase(db: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::AuthorId, Expr::value(None::<UserId>))
        .filter(Column::AuthorId.eq(user))
        .exec(db)
        .await
        .map(drop)
}
