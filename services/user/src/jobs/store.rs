//! Queries on jobs.

use lyceum_chassis::claims::{Claimable, Hold, held};
use lyceum_chassis::database::DbErr;
use lyceum_chassis::http::Window;
use lyceum_contracts::ids::{JobId, UserId};
use lyceum_contracts::job::{JobResult, JobStatus};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
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

impl Claimable for Entity {
    const STATE: &'static str = "status";
    const CLAIMED: &'static str = JobStatus::Running.as_str();
    /// Whatever takes the process down is not begun for ever.
    const ALSO: &'static str = ", attempts = attempts + 1, updated_at = $1";

    fn claim_of(job: &Model) -> (i64, i64) {
        (job.id.get(), job.claims)
    }
}

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
        .await
        .map(drop)
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
        .await
        .map(drop)
}

/// Gives a job up, with the reason its owner reads.
pub(super) async fn fail(
    db: &impl ConnectionTrait,
    claim: &Model,
    error: &str,
    now: OffsetDateTime,
) -> Result<Hold, DbErr> {
    held(claim)
        .set(ActiveModel {
            status: Set(JobStatus::Failed),
            error: Set(Some(error.to_owned())),
            updated_at: Set(now),
            ..Default::default()
        })
        .exec(db)
        .await
        .map(Hold::from)
}

/// Gives a job back: anybody's from `due_at` on, after `attempts` beginnings.
pub(super) async fn give_back(
    db: &impl ConnectionTrait,
    claim: &Model,
    due_at: OffsetDateTime,
    attempts: i64,
) -> Result<Hold, DbErr> {
    held(claim)
        .set(ActiveModel {
            status: Set(JobStatus::Queued),
            attempts: Set(attempts),
            due_at: Set(due_at),
            ..Default::default()
        })
        .exec(db)
        .await
        .map(Hold::from)
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
