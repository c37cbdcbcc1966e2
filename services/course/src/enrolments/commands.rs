//! Taking a place and giving it up: each command begins and commits its own transaction.
//!
//! Both take the course's lock before they decide. What they promise to tell others is an outbox row in the
//! same commit; nobody else is asked while the transaction is open.

use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::http::Answer;
use lyceum_chassis::idempotency::{Begun, Keyed, KeyedError};
use lyceum_contracts::event::Event;
use lyceum_contracts::ids::{CourseId, UserId};
use sea_orm::DbErr;
use time::OffsetDateTime;

use super::domain::Admission;
use super::persons::{self, Standing};
use super::store;
use crate::catalogue::lock::lock_course;
use crate::entity::enrolment::Model;
use crate::state::State;

/// How somebody came to hold a place.
#[derive(Debug)]
pub(crate) enum Enrolled {
    /// By this request.
    Created(Model),
    /// They held it already; nothing has changed.
    Already(Model),
}

/// Why somebody got no place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnrolError {
    #[error("there is no such course, or not for this person")]
    NoSuchCourse,
    /// The token is still good; the account is not.
    #[error("the account no longer exists")]
    Gone,
    #[error("the course is a draft")]
    NotPublished,
    #[error("every place is taken")]
    Full,
    #[error(transparent)]
    Keyed(#[from] KeyedError),
}

/// Why there was nothing to give up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DropError {
    #[error("the person is not enrolled in this course")]
    NotEnrolled,
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl From<DbErr> for EnrolError {
    fn from(error: DbErr) -> Self {
        KeyedError::from(error).into()
    }
}

/// Gives `person` a place, once per key, and promises to tell of it.
///
/// Under the lock, so that the last place is given once and "enrolled already" stays true.
pub(crate) async fn enrol(
    state: &State,
    keyed: Keyed,
    id: CourseId,
    person: &CurrentUser,
    now: OffsetDateTime,
) -> Result<Answer, EnrolError> {
    let transaction = match keyed.begin(&state.database, now).await? {
        Begun::First(transaction) => transaction,
        Begun::Again(answer) => return Ok(answer),
    };
    if persons::hold(&transaction, person.id).await? == Standing::Erased {
        return Err(EnrolError::Gone);
    }
    let course = lock_course(&transaction, id)
        .await?
        .ok_or(EnrolError::NoSuchCourse)?;
    if let Some(enrolment) = store::find_active(&transaction, id, person.id).await? {
        return Ok(transaction.commit(Enrolled::Already(enrolment)).await?);
    }
    match course.admit(person) {
        Admission::Admitted => {}
        Admission::Hidden => return Err(EnrolError::NoSuchCourse),
        Admission::NotPublished => return Err(EnrolError::NotPublished),
        Admission::Full => return Err(EnrolError::Full),
    }
    let enrolment = store::insert(&transaction, id, person.id, now).await?;
    let told = Event::EnrolmentCreated {
        enrolment_id: enrolment.id,
        user_id: person.id,
        course_id: id,
        course_title: course.title,
    };
    lyceum_outbox::push(&transaction, &told).await?;
    let answer = transaction.commit(Enrolled::Created(enrolment)).await?;
    state.outbox.wake();
    Ok(answer)
}

/// Takes `user`'s place back, and promises to tell of it.
pub(crate) async fn drop_enrolment(
    state: &State,
    id: CourseId,
    user: UserId,
    now: OffsetDateTime,
) -> Result<(), DropError> {
    let transaction = state.database.begin_write().await?;
    lock_course(&transaction, id)
        .await?
        .ok_or(DropError::NotEnrolled)?;
    let enrolment = store::release(&transaction, id, user, now).await?;
    let told = Event::EnrolmentDropped {
        enrolment_id: enrolment.ok_or(DropError::NotEnrolled)?,
        user_id: user,
        course_id: id,
    };
    lyceum_outbox::push(&transaction, &told).await?;
    transaction.commit().await?;
    state.outbox.wake();
    Ok(())
}
