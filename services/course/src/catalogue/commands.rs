//! Writes on courses: each begins and commits its own transaction.

use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::database::Database;
use lyceum_chassis::http::Answer;
use lyceum_chassis::idempotency::{Begun, Keyed, KeyedError};
use lyceum_contracts::ids::{CourseId, UserId};
use sea_orm::DbErr;
use time::OffsetDateTime;

use super::domain::{Course, NewCourse, Publication};
use super::lock::lock_course;
use super::store;

/// Writes a draft, once per key.
pub(crate) async fn create_course(
    database: &Database,
    keyed: Keyed,
    course: NewCourse,
    instructor: UserId,
    now: OffsetDateTime,
) -> Result<Answer, KeyedError> {
    let transaction = match keyed.begin(database, now).await? {
        Begun::First(transaction) => transaction,
        Begun::Again(answer) => return Ok(answer),
    };
    let course = store::insert_draft(&transaction, course, instructor, now).await?;
    Ok(transaction.commit(Created(course)).await?)
}

/// A course that has just been written.
#[derive(Debug)]
pub(crate) struct Created(pub(crate) Course);

/// Why a course was not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error("there is no such course, or not for this person")]
    NoSuchCourse,
    #[error("the course is somebody else's")]
    NotTheirs,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Opens a course to everybody; a course that is open already is answered as it is.
pub(crate) async fn publish(
    database: &Database,
    id: CourseId,
    person: &CurrentUser,
    now: OffsetDateTime,
) -> Result<Course, PublishError> {
    let transaction = database.begin_write().await?;
    let course = lock_course(&transaction, id)
        .await?
        .ok_or(PublishError::NoSuchCourse)?;
    match course.publish(person, now) {
        Publication::Published(course) => {
            store::update_stage(&transaction, &course).await?;
            transaction.commit().await?;
            Ok(course)
        }
        Publication::Unchanged(course) => Ok(course),
        Publication::Hidden => Err(PublishError::NoSuchCourse),
        Publication::NotTheirs => {
            tracing::warn!(
                event = "auth.forbidden",
                user.id = person.id.get(),
                course.id = id.get(),
                "the course is somebody else's"
            );
            Err(PublishError::NotTheirs)
        }
    }
}
