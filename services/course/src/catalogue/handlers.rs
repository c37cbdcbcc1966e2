//! The routes of the catalogue: extract, parse, call, respond.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::{CurrentUser, Require};
use lyceum_chassis::clock;
use lyceum_chassis::http::{
    Answer, ApiError, Body, Fields, FromFields, Id, IfMatch, NoBody, Query, Window, etag, page,
};
use lyceum_chassis::idempotency::IdempotencyKey;
use lyceum_chassis::openapi::WindowQuery;
use lyceum_contracts::course::{Course as CourseAnswer, CourseStatus, CreateCourse, UpdateCourse};
use lyceum_contracts::ids::CourseId;
use lyceum_contracts::page::Page;

use super::changes;
use super::commands::{self, Created};
use super::domain::{Course, CoursePatch, NewCourse, Stage, TeachCourses};
use super::store;
use super::text::{Capacity, CourseDescription, CourseTitle};
use crate::state::State;

impl FromFields for NewCourse {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let title = fields.required("title", CourseTitle::parse);
        let description = fields.optional("description", CourseDescription::parse);
        let capacity = fields.optional("capacity", Capacity::parse);
        Some(Self {
            title: title?,
            description: description?.unwrap_or_default(),
            capacity: capacity?,
        })
    }
}

impl FromFields for CoursePatch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let title = fields.change("title", CourseTitle::parse);
        let description = fields.change("description", CourseDescription::parse);
        Some(Self {
            title: title?,
            description: description?,
        })
    }
}

impl From<Stage> for CourseStatus {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Draft => Self::Draft,
            Stage::Published { .. } => Self::Published,
        }
    }
}

impl From<Course> for CourseAnswer {
    fn from(course: Course) -> Self {
        let published_at = match course.stage {
            Stage::Draft => None,
            Stage::Published { at } => Some(at),
        };
        Self {
            id: course.id,
            title: course.title,
            description: course.description,
            status: course.stage.into(),
            instructor_id: course.instructor_id,
            capacity: course.capacity,
            enrolled: course.enrolled,
            version: course.version,
            created_at: course.created_at,
            published_at,
        }
    }
}

impl From<Created> for Answer {
    fn from(Created(course): Created) -> Self {
        let location = format!("/courses/{}", course.id);
        let version = course.version;
        Self::created(location, &CourseAnswer::from(course)).version(version)
    }
}

/// Write a course
///
/// It begins as a draft, seen by its instructor and admins alone.
#[utoipa::path(
    post, path = "/courses", tag = "catalogue",
    security(("access_token" = [])),
    params(IdempotencyKey),
    request_body = CreateCourse,
    responses(
        (status = 201, body = CourseAnswer, description = "Written", headers(
            ("Location", description = "The course"), ("ETag", description = "Its version"))),
        (status = 403, description = "The caller may not teach"),
    ),
)]
pub(crate) async fn create_course(
    teacher: Require<TeachCourses>,
    key: IdempotencyKey,
    Body(course): Body<NewCourse>,
    state: Data<State>,
) -> Result<Answer, ApiError> {
    let keyed = key.of(teacher.id, &course)?;
    let now = clock::now();
    Ok(commands::create_course(&state.database, keyed, course, teacher.id, now).await?)
}

/// Open a course to everybody
///
/// Publishing what is published already changes nothing and answers the same.
#[utoipa::path(
    post, path = "/courses/{id}/publish", tag = "catalogue",
    security(("access_token" = [])),
    params(("id" = CourseId, Path, description = "The course")),
    responses(
        (status = 200, body = CourseAnswer, description = "The course", headers(("ETag", description = "Its version"))),
        (status = 403, description = "The course is somebody else's, or the caller may not teach"),
        (status = 404, description = "There is no such course, or not for the caller"),
    ),
)]
pub(crate) async fn publish_course(
    teacher: Require<TeachCourses>,
    Id(id): Id<CourseId>,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let course = commands::publish(&state.database, id, &teacher, clock::now()).await?;
    Ok(represent(course))
}

/// Change what a course says of itself
///
/// Whoever listens to the course is told, in the background.
#[utoipa::path(
    patch, path = "/courses/{id}", tag = "catalogue",
    security(("access_token" = [])),
    params(
        ("id" = CourseId, Path, description = "The course"),
        ("If-Match" = String, Header, description = "The ETag last seen"),
    ),
    request_body(content = UpdateCourse, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, body = CourseAnswer, description = "The course", headers(("ETag", description = "Its version"))),
        (status = 403, description = "The course is somebody else's, or the caller may not teach"),
        (status = 404, description = "There is no such course, or not for the caller"),
        (status = 412, description = "The course has changed meanwhile"),
        (status = 428, description = "If-Match is missing"),
    ),
)]
pub(crate) async fn update_course(
    teacher: Require<TeachCourses>,
    Id(id): Id<CourseId>,
    seen: IfMatch,
    Body(patch): Body<CoursePatch>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let course = changes::update(&state, id, &teacher, seen, patch).await?;
    Ok(represent(course))
}

/// Delete a draft
#[utoipa::path(
    delete, path = "/courses/{id}", tag = "catalogue",
    security(("access_token" = [])),
    params(("id" = CourseId, Path, description = "The course")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 403, description = "The course is somebody else's, or the caller may not teach"),
        (status = 404, description = "There is no such course, or not for the caller"),
        (status = 409, description = "The course is published: people are in it, or were"),
    ),
)]
pub(crate) async fn delete_course(
    teacher: Require<TeachCourses>,
    Id(id): Id<CourseId>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    changes::delete(&state, id, &teacher).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// One course
///
/// A draft is found by its instructor and admins alone.
#[utoipa::path(
    get, path = "/courses/{id}", tag = "catalogue",
    security(("access_token" = [])),
    params(("id" = CourseId, Path, description = "The course")),
    responses(
        (status = 200, body = CourseAnswer, description = "The course", headers(("ETag", description = "Its version"))),
        (status = 404, description = "There is no such course, or not for the caller"),
    ),
)]
pub(crate) async fn get_course(
    person: CurrentUser,
    Id(id): Id<CourseId>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    store::find(&state.database, id)
        .await?
        .filter(|course| course.is_visible_to(&person))
        .map(represent)
        .ok_or_else(ApiError::not_found)
}

/// All published courses
///
/// Ordered by id, oldest first.
#[utoipa::path(
    get, path = "/courses", tag = "catalogue",
    security(("access_token" = [])),
    params(WindowQuery),
    responses(
        (status = 200, body = Page<CourseAnswer>, description = "One page", headers(("Link", description = "The next page"))),
    ),
)]
pub(crate) async fn list_courses(
    _person: CurrentUser,
    Query(window): Query<Window>,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let courses = store::list_published(&state.database, window).await?;
    let id = |course: &Course| course.id.get();
    Ok(page(&request, window, courses, id, CourseAnswer::from))
}

fn represent(course: Course) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(etag(course.version))
        .json(CourseAnswer::from(course))
}
