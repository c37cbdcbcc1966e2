//! Queries on jobs.
//!
//! A claim is a lease: `due_at` moves to its end, and the number in `claims` is what proves later
//! that nobody has claimed the job since.

use lyceum_chassis::database::{Database, DbErr};
use lyceum_chassis::http::Window;
use lyceum_contracts::ids::{JobId, UserId};
use lyceum_contracts::job::{JobResult, JobStatus};
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Set, UpdateMany,
};
use serde_json::Value;
use time::OffsetDateTime;

use crate::entity::job::{ActiveModel, Column, Entity, Model};

/// A job that is still to end.
const UNFINISHED: [JobStatus; 2] = [JobStatus::Queued, JobStatus::Running];
/// A job that has ended.
pub(super) const FINISHED: [JobStatus; 3] = [
    JobStatus::Succeeded,
    JobStatus::Failed,
    JobStatus::Cancelled,
];

/// Writes a new job.
pub(super) async fn insert(db: &impl ConnectionTrait, job: ActiveModel) -> Result<Model, DbErr> {
    job.insert(db).await
}

/// The job with this id.
pub(crate) async fn find(db: &impl ConnectionTrait, id: JobId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// One page of the jobs of one person, or of all, by id, and one row more.
pub(super) async fn list(
    db: &impl ConnectionTrait,
    owner: Option<UserId>,
    window: Window,
) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().order_by_asc(Column::Id);
    if let Some(owner) = owner {
        query = query.filter(Column::OwnerId.eq(owner));
    }
    if let Some(after) = window.after {
        query = query.filter(Column::Id.gt(after));
    }
    query.offset(window.skip).limit(window.rows()).all(db).await
}

/// Takes the job that has been due for longest, until `lease_end`.
///
/// A job another replica is claiming, or is inside a step of, is skipped, not waited for. With
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
        attempts: found.attempts + 1,
        claims: found.claims + 1,
        due_at: lease_end,
        updated_at: now,
        ..found
    };
    Entity::update_many()
        .set(ActiveModel {
            status: Set(claimed.status),
            attempts: Set(claimed.attempts),
            claims: Set(claimed.claims),
            due_at: Set(claimed.due_at),
            updated_at: Set(claimed.updated_at),
            ..Default::default()
        })
        .filter(Column::Id.eq(claimed.id))
        .exec(&transaction)
        .await?;
    transaction.commit().await?;
    Ok(Some(claimed))
}

/// A write that has its effect only while `claim` is the newest and the job runs.
fn held(claim: &Model) -> UpdateMany<Entity> {
    Entity::update_many().filter(
        Condition::all()
            .add(Column::Id.eq(claim.id))
            .add(Column::Claims.eq(claim.claims))
            .add(Column::Status.eq(JobStatus::Running)),
    )
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

/// Prolongs a claim, and keeps the job from everybody else until the transaction ends.
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

/// Moves the cursor of a job that is held.
pub(super) async fn advance(
    transaction: &impl ConnectionTrait,
    claim: &Model,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    held(claim)
        .set(ActiveModel {
            cursor: Set(claim.cursor.clone()),
            done: Set(claim.done),
            total: Set(claim.total),
            attempts: Set(0),
            updated_at: Set(now),
            ..Default::default()
        })
        .exec(transaction)
        .await?;
    Ok(())
}

/// Ends a job that is held, well.
pub(super) async fn succeed(
    transaction: &impl ConnectionTrait,
    claim: &Model,
    result: &JobResult,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let result = to_json(result)?;
    held(claim)
        .set(ActiveModel {
            status: Set(JobStatus::Succeeded),
            result: Set(Some(result)),
            updated_at: Set(now),
            ..Default::default()
        })
        .exec(transaction)
        .await?;
    Ok(())
}

/// Gives a job up, with the reason its owner reads.
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

/// Gives a job back: anybody's from `due_at` on, after `attempts` beginnings.
pub(super) async fn give_back(
    db: &impl ConnectionTrait,
    claim: &Model,
    due_at: OffsetDateTime,
    attempts: i64,
) -> Result<Hold, DbErr> {
    let given = held(claim)
        .set(ActiveModel {
            status: Set(JobStatus::Queued),
            attempts: Set(attempts),
            due_at: Set(due_at),
            ..Default::default()
        })
        .exec(db)
        .await?;
    Ok(Hold::of(given.rows_affected))
}

/// Ends a job that has not ended yet, after the step that is under way; whether there was one.
pub(super) async fn cancel(
    db: &impl ConnectionTrait,
    id: JobId,
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

/// How many jobs are still to end.
pub(super) async fn count_unfinished(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::Status.is_in(UNFINISHED))
        .count(db)
        .await
}

/// A value of ours as a column keeps it.
pub(super) fn to_json(value: &impl serde::Serialize) -> Result<Value, DbErr> {
    serde_json::to_value(value).map_err(|error| DbErr::Json(error.to_string()))
}
