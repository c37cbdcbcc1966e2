//! Queries on broadcasts.

use lyceum_chassis::claims::{Claimable, Hold, held};
use lyceum_chassis::database::DbErr;
use lyceum_chassis::http::Window;
use lyceum_contracts::ids::{BroadcastId, UserId};
use lyceum_contracts::job::JobStatus;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
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

impl Claimable for Entity {
    const STATE: &'static str = "status";
    const CLAIMED: &'static str = JobStatus::Running.as_str();
    const ALSO: &'static str = "";

    fn claim_of(broadcast: &Model) -> (i64, i64) {
        (broadcast.id.get(), broadcast.claims)
    }
}

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

/// Gives one back as it stands: anybody's from `claim.due_at` on.
pub(super) async fn give_back(db: &impl ConnectionTrait, claim: &Model) -> Result<Hold, DbErr> {
    held(claim)
        .set(ActiveModel {
            status: Set(JobStatus::Queued),
            attempts: Set(claim.attempts),
            error: Set(claim.error.clone()),
            due_at: Set(claim.due_at),
            ..Default::default()
        })
        .exec(db)
        .await
        .map(Hold::from)
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
