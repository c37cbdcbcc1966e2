//! Holding one course still while a command decides about it.
//!
//! The engines differ here and nowhere else in this service: Postgres locks the row
//! (`SELECT … FOR UPDATE`); on `SQLite` the transaction itself is the lock, because
//! [`begin_write`](lyceum_chassis::database::Database::begin_write) lets in one writer at a time,
//! and the clause is left out of the statement. Whatever changes a course or its enrolments takes
//! this lock before it decides, after that of a person if it needs one, so commands on one course happen one after the other and cannot deadlock.

use lyceum_chassis::database::Transaction;
use lyceum_contracts::ids::CourseId;
use sea_orm::{DbErr, EntityTrait, QuerySelect};

use super::domain::Course;
use super::store;
use crate::entity::course;

/// The course, as it stays until the transaction ends.
pub(crate) async fn lock_course(
    transaction: &Transaction,
    id: CourseId,
) -> Result<Option<Course>, DbErr> {
    course::Entity::find_by_id(id)
        .lock_exclusive()
        .one(transaction)
        .await?
        .map(store::from_row)
        .transpose()
}
