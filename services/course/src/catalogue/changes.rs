//! Changing and deleting a course: each begins and commits its own transaction, and what it
//! promises to tell is in it.

use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::database::Transaction;
use lyceum_chassis::http::IfMatch;
use lyceum_contracts::event::Event;
use lyceum_contracts::ids::CourseId;
use sea_orm::DbErr;

use super::domain::{Course, CoursePatch, Stage, Standing};
use super::lock::lock_course;
use super::store;
use crate::state::State;

/// Why a course stays as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error("there is no such course, or not for this person")]
    NoSuchCourse,
    #[error("the course is somebody else's")]
    NotTheirs,
    /// The caller has seen an older version.
    #[error("the course has changed meanwhile")]
    Stale,
    /// People are in it, or were.
    #[error("the course is published")]
    Published,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Changes what a course says of itself, if it is still as the caller has seen it.
pub(crate) async fn update(
    state: &State,
    id: CourseId,
    person: &CurrentUser,
    seen: IfMatch,
    patch: CoursePatch,
) -> Result<Course, ChangeError> {
    let transaction = state.database.begin_write().await?;
    let course = hold(&transaction, id, person).await?;
    if matches!(seen, IfMatch::Version(version) if version != course.version) {
        return Err(ChangeError::Stale);
    }
    let Some(changed) = course.patched(patch) else {
        return Ok(course);
    };
    store::update_text(&transaction, &changed).await?;
    let told = Event::CourseUpdated {
        course_id: id,
        course_title: changed.title.clone(),
        version: changed.version,
    };
    lyceum_outbox::push(&transaction, &told).await?;
    transaction.commit().await?;
    state.outbox.wake();
    Ok(changed)
}

/// Deletes a draft. Nobody was ever in it.
pub(crate) async fn delete(
    state: &State,
    id: CourseId,
    person: &CurrentUser,
) -> Result<(), ChangeError> {
    let transaction = state.database.begin_write().await?;
    let course = hold(&transaction, id, person).await?;
    if course.stage != Stage::Draft {
        return Err(ChangeError::Published);
    }
    store::delete(&transaction, id).await?;
    lyceum_outbox::push(&transaction, &Event::CourseDeleted { course_id: id }).await?;
    transaction.commit().await?;
    state.outbox.wake();
    Ok(())
}

/// The course, which is this person's, as it stays until the transaction ends.
async fn hold(
    transaction: &Transaction,
    id: CourseId,
    person: &CurrentUser,
) -> Result<Course, ChangeError> {
    let course = lock_course(transaction, id).await?;
    let course = course.ok_or(ChangeError::NoSuchCourse)?;
    match course.standing(person) {
        Standing::Theirs => Ok(course),
        Standing::Hidden => Err(ChangeError::NoSuchCourse),
        Standing::NotTheirs => {
            tracing::warn!(
                event = "auth.forbidden",
                user.id = person.id.get(),
                course.id = id.get(),
                "the course is somebody else's"
            );
            Err(ChangeError::NotTheirs)
        }
    }
}
