//! Queries on keys and the answers kept under them.

use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, TryInsertResult};
use time::OffsetDateTime;

use super::entity::{ActiveModel, Column, Entity};
use super::keyed::Claim;
use crate::http::Answer;

/// The largest body that is kept, in bytes; the largest one there is tells a thousand items apart,
/// each with an address and a name of the greatest length or some twenty faults.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Takes the key; `None` when somebody has it. Waits for whoever is just taking it.
pub(super) async fn insert(
    transaction: &impl ConnectionTrait,
    claim: &Claim,
    now: OffsetDateTime,
) -> Result<Option<i64>, DbErr> {
    let claim = claim.clone();
    let row = ActiveModel {
        id: NotSet,
        owner: Set(claim.owner),
        route: Set(claim.route),
        key: Set(claim.key),
        fingerprint: Set(claim.fingerprint),
        status: Set(None),
        location: Set(None),
        etag: Set(None),
        body: Set(None),
        created_at: Set(now),
    };
    let inserted = Entity::insert(row)
        .on_conflict_do_nothing_on([Column::Owner, Column::Route, Column::Key])
        .exec(transaction)
        .await?;
    Ok(match inserted {
        TryInsertResult::Inserted(row) => Some(row.last_insert_id),
        TryInsertResult::Conflicted | TryInsertResult::Empty => None,
    })
}

/// What was asked under the key, as its fingerprint, and how it was answered.
pub(super) async fn find(
    transaction: &impl ConnectionTrait,
    claim: &Claim,
) -> Result<Option<(String, Answer)>, DbErr> {
    let row = Entity::find()
        .filter(Column::Owner.eq(&claim.owner))
        .filter(Column::Route.eq(&claim.route))
        .filter(Column::Key.eq(&claim.key))
        .one(transaction)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let status = row.status.and_then(|status| u16::try_from(status).ok());
    let answer = status
        .zip(row.body)
        .and_then(|(status, body)| Answer::kept(status, row.location, row.etag, body))
        .ok_or_else(|| DbErr::Type("a key was committed without its answer".to_owned()))?;
    Ok(Some((row.fingerprint, answer)))
}

/// Keeps the answer under the key.
pub(super) async fn keep(
    transaction: &impl ConnectionTrait,
    id: i64,
    answer: &Answer,
) -> Result<(), DbErr> {
    if answer.body().len() > MAX_BODY {
        let reason = format!(
            "an answer of {} bytes is too large to keep",
            answer.body().len()
        );
        return Err(DbErr::Custom(reason));
    }
    Entity::update_many()
        .col_expr(
            Column::Status,
            Expr::value(i64::from(answer.status().as_u16())),
        )
        .col_expr(Column::Location, Expr::value(answer.location()))
        .col_expr(Column::Etag, Expr::value(answer.etag()))
        .col_expr(Column::Body, Expr::value(answer.body()))
        .filter(Column::Id.eq(id))
        .exec(transaction)
        .await
        .map(drop)
}
