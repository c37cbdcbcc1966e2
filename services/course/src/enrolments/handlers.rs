//! The routes of enrolments: extract, parse, call, respond.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::{Caller, CurrentUser, ServiceCaller};
use lyceum_chassis::clock;
use lyceum_chassis::http::{Answer, ApiError, Id, NoBody, Onward, Query, Window, page};
use lyceum_chassis::idempotency::IdempotencyKey;
use lyceum_chassis::openapi::WindowQuery;
use lyceum_contracts::course::{
    EnrolledCourse, EnrolledPage, Enrolment, EnrolmentStatus, UserStats,
};
use lyceum_contracts::ids::{CourseId, EnrolmentId, UserId};
use lyceum_contracts::page::Page;

use super::commands::{self, Enrolled};
use super::{queries, store};
use crate::catalogue;
use crate::entity::enrolment::{Model, Status};
use crate::state::State;

impl From<Model> for Enrolment {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            course_id: row.course_id,
            user_id: row.user_id,
            status: match row.status {
                Status::Active => EnrolmentStatus::Active,
                Status::Dropped => EnrolmentStatus::Dropped,
            },
            enrolled_at: row.enrolled_at,
        }
    }
}

impl From<Enrolled> for Answer {
    fn from(enrolled: Enrolled) -> Self {
        match enrolled {
            Enrolled::Created(row) => {
                let location = format!("/enrolments/{}", row.id);
                Self::created(location, &Enrolment::from(row))
            }
            Enrolled::Already(row) => Self::ok(&Enrolment::from(row)),
        }
    }
}

/// Enrol in a course
///
/// The caller gets a place. Whoever holds one already is answered with it; whoever has given one
/// up gets a new enrolment.
#[utoipa::path(
    post, path = "/courses/{id}/enrolments", tag = "enrolments",
    security(("access_token" = [])),
    params(("id" = CourseId, Path, description = "The course"), IdempotencyKey),
    responses(
        (status = 201, body = Enrolment, description = "The caller has a place", headers(("Location", description = "The enrolment"))),
        (status = 200, body = Enrolment, description = "The caller was enrolled already"),
        (status = 403, description = "The account no longer exists"),
        (status = 404, description = "There is no such course, or not for the caller"),
        (status = 409, description = "The course is full, or a draft"),
        (status = 502, description = "The user service is failing"),
        (status = 504, description = "The user service is too slow"),
    ),
)]
pub(crate) async fn create_enrolment(
    person: CurrentUser,
    Id(course): Id<CourseId>,
    key: IdempotencyKey,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<Answer, ApiError> {
    let keyed = key.of(person.id, &())?;
    state.people.require(person.id).await?;
    Ok(commands::enrol(&state, keyed, course, &person, clock::now()).await?)
}

/// Give up one's place in a course
#[utoipa::path(
    delete, path = "/courses/{id}/enrolments", tag = "enrolments",
    security(("access_token" = [])),
    params(("id" = CourseId, Path, description = "The course")),
    responses(
        (status = 204, description = "The place is free"),
        (status = 404, description = "The caller holds no place in such a course"),
    ),
)]
pub(crate) async fn delete_enrolment(
    person: CurrentUser,
    Id(course): Id<CourseId>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    commands::drop_enrolment(&state, course, person.id, clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// One enrolment
///
/// Found by the person enrolled, the course's instructor and admins.
#[utoipa::path(
    get, path = "/enrolments/{id}", tag = "enrolments",
    security(("access_token" = [])),
    params(("id" = EnrolmentId, Path, description = "The enrolment")),
    responses(
        (status = 200, body = Enrolment, description = "The enrolment"),
        (status = 404, description = "There is no such enrolment, or not for the caller"),
    ),
)]
pub(crate) async fn get_enrolment(
    person: CurrentUser,
    Id(id): Id<EnrolmentId>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let (enrolment, course) = store::find_with_course(&state.database, id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    if person.id != course.instructor_id && !person.is_or_administers(enrolment.user_id) {
        return Err(ApiError::not_found());
    }
    Ok(HttpResponse::Ok().json(Enrolment::from(enrolment)))
}

/// The courses somebody is enrolled in
///
/// Ordered as they enrolled. Found by the person, admins and services.
#[utoipa::path(
    get, path = "/users/{id}/courses", tag = "enrolments",
    security(("access_token" = []), ("service_token" = [])),
    params(("id" = UserId, Path, description = "The person"), WindowQuery),
    responses(
        (status = 200, body = Page<EnrolledCourse>, description = "One page", headers(("Link", description = "The next page"))),
        (status = 404, description = "Not an id, or somebody else's"),
    ),
)]
pub(crate) async fn list_user_courses(
    caller: Caller,
    Id(user): Id<UserId>,
    Query(window): Query<Window>,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    only_if(caller.may_see(user))?;
    let courses = queries::list_courses_of(&state.database, user, window).await?;
    let id = |course: &EnrolledCourse| course.enrolment_id.get();
    Ok(page(&request, window, courses, id, std::convert::identity))
}

/// Somebody's figures
///
/// Found by the person, admins and services.
#[utoipa::path(
    get, path = "/users/{id}/stats", tag = "enrolments",
    security(("access_token" = []), ("service_token" = [])),
    params(("id" = UserId, Path, description = "The person")),
    responses(
        (status = 200, body = UserStats, description = "The figures"),
        (status = 404, description = "Not an id, or somebody else's"),
    ),
)]
pub(crate) async fn get_user_stats(
    caller: Caller,
    Id(user): Id<UserId>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    only_if(caller.may_see(user))?;
    let stats = queries::count_for(&state.database, user).await?;
    Ok(HttpResponse::Ok().json(stats))
}

/// Who holds a place in a course
///
/// In the order of their ids, in which nobody comes twice however many come and go meanwhile.
#[utoipa::path(
    get, path = "/internal/courses/{id}/enrolments", tag = "internal",
    security(("service_token" = [])),
    params(("id" = CourseId, Path, description = "The course"), Onward),
    responses(
        (status = 200, body = EnrolledPage, description = "One page"),
        (status = 403, description = "The caller is not a service"),
        (status = 404, description = "There is no such course"),
    ),
)]
pub(crate) async fn list_enrolled_people(
    _caller: ServiceCaller,
    Id(id): Id<CourseId>,
    Query(onward): Query<Onward>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let database = &state.database;
    let course = catalogue::store::find(database, id).await?;
    let course = course.ok_or_else(ApiError::not_found)?;
    let people = queries::list_people_in(database, id, onward).await?;
    let (items, next_after) = onward.cut(people, |person| *person);
    let total = course.enrolled.into();
    Ok(HttpResponse::Ok().json(EnrolledPage {
        items,
        next_after,
        total,
    }))
}

/// What is not for the caller looks like what is not there.
fn only_if(allowed: bool) -> Result<(), ApiError> {
    if allowed {
        Ok(())
    } else {
        Err(ApiError::not_found())
    }
}
