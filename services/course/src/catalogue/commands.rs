//! Writes on courses that decide under a lock: each begins and commits its own transaction.

use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::database::Database;
use lyceum_contracts::ids::CourseId;
use sea_orm::DbErr;
use time::OffsetDateTime;

use super::domain::{Course, Publication};
use super::lock::lock_course;
use super::store;

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
