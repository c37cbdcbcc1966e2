//! Queries on uploads, their chunks and their faults.

use lyceum_chassis::database::{Database, DbErr};
use lyceum_chassis::http::Window;
use lyceum_chassis::retention::delete_over;
use lyceum_contracts::ids::JobId;
use lyceum_contracts::job::JobStatus;
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    QueryFilter, QueryOrder, QuerySelect, Set,
};
use time::{Duration, OffsetDateTime};

use super::domain::{Faulty, StagedLine};
use crate::entity::import::{chunk, fault, upload};
use crate::entity::job;

/// An upload to which nothing is added for this long has broken off: no request lives as long.
const ABANDONED: Duration = Duration::hours(1);
/// Chunks deleted by one statement, some 50 KiB each.
const BATCH: u64 = 50;

/// Begins an upload.
pub(super) async fn insert(db: &impl ConnectionTrait, now: OffsetDateTime) -> Result<i64, DbErr> {
    let row = upload::ActiveModel {
        id: ActiveValue::NotSet,
        job_id: Set(None),
        touched_at: Set(now),
    };
    Ok(row.insert(db).await?.id)
}

/// Says that an upload is still being received.
pub(super) async fn touch(
    db: &impl ConnectionTrait,
    import: i64,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let row = upload::ActiveModel {
        id: Set(import),
        touched_at: Set(now),
        ..Default::default()
    };
    // An error when there is no such row: it was taken for abandoned.
    row.update(db).await.map(drop)
}

/// Adds lines to an upload.
pub(super) async fn insert_chunk(
    db: &impl ConnectionTrait,
    import: i64,
    lines: &[StagedLine],
) -> Result<(), DbErr> {
    let row = chunk::ActiveModel {
        id: ActiveValue::NotSet,
        import_id: Set(import),
        lines: Set(to_json(&lines)?),
    };
    chunk::Entity::insert(row)
        .exec_without_returning(db)
        .await
        .map(drop)
}

/// Writes down what is wrong with lines.
pub(super) async fn insert_faults(
    db: &impl ConnectionTrait,
    import: i64,
    lines: &[Faulty],
) -> Result<(), DbErr> {
    if lines.is_empty() {
        return Ok(());
    }
    let rows: Result<Vec<_>, DbErr> = lines.iter().map(|line| fault_row(import, line)).collect();
    fault::Entity::insert_many(rows?)
        .exec_without_returning(db)
        .await
        .map(drop)
}

fn fault_row(import: i64, line: &Faulty) -> Result<fault::ActiveModel, DbErr> {
    Ok(fault::ActiveModel {
        id: ActiveValue::NotSet,
        import_id: Set(import),
        line: Set(i64::try_from(line.line).unwrap_or(i64::MAX)),
        errors: Set(to_json(&line.errors)?),
    })
}

/// Gives an upload to its job.
pub(super) async fn attach(
    db: &impl ConnectionTrait,
    import: i64,
    job: JobId,
) -> Result<(), DbErr> {
    let row = upload::ActiveModel {
        id: Set(import),
        job_id: Set(Some(job)),
        ..Default::default()
    };
    row.update(db).await.map(drop)
}

/// Deletes an upload with all that was received.
pub(super) async fn discard(db: &impl ConnectionTrait, import: i64) -> Result<(), DbErr> {
    upload::Entity::delete_by_id(import)
        .exec(db)
        .await
        .map(drop)
}

/// The lines to be dealt with next, and the chunk they stand in.
pub(super) async fn first_chunk(
    db: &impl ConnectionTrait,
    import: i64,
) -> Result<Option<(i64, Vec<StagedLine>)>, DbErr> {
    let chunk = chunk::Entity::find()
        .filter(chunk::Column::ImportId.eq(import))
        .order_by_asc(chunk::Column::Id)
        .one(db)
        .await?;
    let Some(chunk) = chunk else { return Ok(None) };
    let lines = serde_json::from_value(chunk.lines);
    let lines = lines.map_err(|error| DbErr::Json(error.to_string()))?;
    Ok(Some((chunk.id, lines)))
}

/// Deletes a chunk that was dealt with.
pub(super) async fn delete_chunk(db: &impl ConnectionTrait, id: i64) -> Result<(), DbErr> {
    chunk::Entity::delete_by_id(id).exec(db).await.map(drop)
}

/// One page of the faults of a job's lines, by line, and one row more; none of any other job.
pub(super) async fn list_faults(
    db: &impl ConnectionTrait,
    job: JobId,
    window: Window,
) -> Result<Vec<fault::Model>, DbErr> {
    let of_job = Query::select()
        .column(upload::Column::Id)
        .from(upload::Entity)
        .and_where(upload::Column::JobId.eq(job))
        .to_owned();
    let mut query = fault::Entity::find()
        .filter(fault::Column::ImportId.in_subquery(of_job))
        .order_by_asc(fault::Column::Line);
    if let Some(after) = window.after {
        query = query.filter(fault::Column::Line.gt(after));
    }
    query.offset(window.skip).limit(window.rows()).all(db).await
}

/// Deletes the lines of uploads that broke off and of jobs that ended before their time.
pub(crate) async fn prune(database: &Database, now: OffsetDateTime) -> Result<(), DbErr> {
    let abandoned = Condition::all()
        .add(upload::Column::JobId.is_null())
        .add(upload::Column::TouchedAt.lt(now - ABANDONED));
    let ended = Query::select()
        .column(job::Column::Id)
        .from(job::Entity)
        .and_where(job::Column::Status.is_in([JobStatus::Failed, JobStatus::Cancelled]))
        .to_owned();
    let of_ended = upload::Column::JobId.in_subquery(ended);
    let over = Query::select()
        .column(upload::Column::Id)
        .from(upload::Entity)
        .cond_where(Condition::any().add(abandoned.clone()).add(of_ended))
        .to_owned();
    let over = chunk::Column::ImportId.in_subquery(over);
    while delete_over::<chunk::Entity>(database, chunk::Column::Id, over.clone(), BATCH).await? > 0
    {
    }
    upload::Entity::delete_many()
        .filter(abandoned)
        .exec(database)
        .await
        .map(drop)
}

fn to_json(value: &impl serde::Serialize) -> Result<serde_json::Value, DbErr> {
    serde_json::to_value(value).map_err(|error| DbErr::Json(error.to_string()))
}
