//! Who may still hold places: a person's row is taken before any course's.
//!
//! Taking a place and erasing a person both begin with that row, so of the two one comes first:
//! either the place is erased with the rest, or it is not given. A lock of a course comes after it,
//! in both, so that they cannot wait for one another.

use lyceum_chassis::database::Transaction;
use lyceum_contracts::ids::{CourseId, UserId};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use time::OffsetDateTime;

use super::store;
use crate::catalogue::lock::lock_course;
use crate::entity::enrolment::{self, Status};
use crate::entity::person;

/// Whether somebody may still have anything here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Held until the transaction ends.
    Present,
    /// For good.
    Erased,
}

/// Holds a person's row, making it when there is none.
pub(super) async fn hold(transaction: &Transaction, user: UserId) -> Result<Standing, DbErr> {
    let row = person::ActiveModel {
        user_id: Set(user),
        erased_at: Set(None),
    };
    let erased_at = (person::Entity, person::Column::ErasedAt);
    // Writing what is there already is what locks it.
    let again = OnConflict::column(person::Column::UserId)
        .value(person::Column::UserId, Expr::value(user.get()))
        .action_and_where(Expr::col(erased_at).is_null())
        .to_owned();
    let held = person::Entity::insert(row)
        .on_conflict(again)
        .exec_with_returning(transaction)
        .await;
    match held {
        Ok(_) => Ok(Standing::Present),
        // Nothing was written, so there is no row to return.
        Err(DbErr::RecordNotFound(_)) => Ok(Standing::Erased),
        Err(error) => Err(error),
    }
}

/// Forgets everything of one person for good; the places they held are free. Done before, it does
/// nothing.
pub(crate) async fn erase(
    transaction: &Transaction,
    user: UserId,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let row = person::ActiveModel {
        user_id: Set(user),
        erased_at: Set(Some(now)),
    };
    let close = OnConflict::column(person::Column::UserId)
        .update_column(person::Column::ErasedAt)
        .to_owned();
    person::Entity::insert(row)
        .on_conflict(close)
        .exec_without_returning(transaction)
        .await?;
    let held: Vec<CourseId> = enrolment::Entity::find()
        .select_only()
        .column(enrolment::Column::CourseId)
        .filter(enrolment::Column::UserId.eq(user))
        .filter(enrolment::Column::Status.eq(Status::Active))
        .order_by_asc(enrolment::Column::CourseId)
        .into_tuple()
        .all(transaction)
        .await?;
    for course in held {
        lock_course(transaction, course).await?;
        store::release(transaction, course, user, now).await?;
    }
    enrolment::Entity::delete_many()
        .filter(enrolment::Column::UserId.eq(user))
        .exec(transaction)
        .await
        .map(drop)
}
