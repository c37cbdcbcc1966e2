//! Writes on jobs from the outside; those of their work are the runner's.

use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::database::{Database, DbErr};
use lyceum_contracts::ids::{JobId, UserId};
use lyceum_contracts::job::JobStatus;
use lyceum_telemetry::context;
use sea_orm::{ActiveValue, ConnectionTrait, Set};
use time::OffsetDateTime;

use super::store;
use super::work::Work;
use crate::entity::job::{ActiveModel, Model};

/// Writes a job that is due at once, in the transaction of whatever needs it. Wake the runner
/// after the commit.
///
/// `total` is how much there is to do, if that is known already.
pub(crate) async fn enqueue<W: Work>(
    transaction: &impl ConnectionTrait,
    owner: UserId,
    input: &W::Input,
    total: Option<i64>,
    now: OffsetDateTime,
) -> Result<Model, DbErr> {
    let row = ActiveModel {
        id: ActiveValue::NotSet,
        kind: Set(W::KIND),
        owner_id: Set(owner),
        status: Set(JobStatus::Queued),
        done: Set(0),
        total: Set(total),
        input: Set(store::to_json(input)?),
        cursor: Set(None),
        result: Set(None),
        error: Set(None),
        attempts: Set(0),
        claims: Set(0),
        due_at: Set(now),
        traceparent: Set(context::traceparent()),
        created_at: Set(now),
        updated_at: Set(now),
    };
    store::insert(transaction, row).await
}

/// A job its owner, or an admin, asks for; to anybody else there is none.
pub(crate) async fn find_for(
    db: &impl ConnectionTrait,
    caller: &CurrentUser,
    id: JobId,
) -> Result<Option<Model>, DbErr> {
    let job = store::find(db, id).await?;
    Ok(job.filter(|job| caller.is_or_administers(job.owner_id)))
}

/// Why a job was not cancelled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CancelError {
    #[error("there is no such job")]
    NoSuchJob,
    #[error("the job has ended already")]
    Finished,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Ends a job after the step that is under way; one that was cancelled before stays so.
pub(crate) async fn cancel_job(
    database: &Database,
    caller: &CurrentUser,
    id: JobId,
    now: OffsetDateTime,
) -> Result<(), CancelError> {
    let missing = || CancelError::NoSuchJob;
    let job = find_for(database, caller, id).await?.ok_or_else(missing)?;
    if store::cancel(database, id, now).await? {
        tracing::info!(
            event = "job.cancelled",
            job.id = id.get(),
            kind = job.kind.as_str(),
            "a job was cancelled"
        );
        return Ok(());
    }
    // It has ended, maybe since it was looked at.
    let job = store::find(database, id).await?.ok_or_else(missing)?;
    match job.status {
        JobStatus::Cancelled => Ok(()),
        _ => Err(CancelError::Finished),
    }
}
