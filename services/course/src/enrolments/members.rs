//! `POST /internal/courses/{id}/members/lookup`: who of some people is in a course.

use actix_web::web::{Data, Json};
use lyceum_chassis::auth::ServiceCaller;
use lyceum_chassis::http::{ApiError, Body, Fields, FromFields, Id, Rule};
use lyceum_contracts::course::{CourseMembers, LookupMembers, MAX_MEMBERS};
use lyceum_contracts::ids::{CourseId, UserId};

use super::queries;
use crate::catalogue;
use crate::state::State;

/// Whom somebody asks about.
#[derive(Debug)]
pub(crate) struct Few(Vec<UserId>);

/// The list is empty or too long.
#[derive(Debug, thiserror::Error)]
#[error("must hold 1 to {MAX_MEMBERS} ids")]
struct LookupRule;

impl Rule for LookupRule {
    fn code(&self) -> &'static str {
        "out_of_range"
    }
}

impl FromFields for Few {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let ids = fields.required("ids", |ids: Vec<UserId>| {
            let fits = (1..=MAX_MEMBERS).contains(&ids.len());
            fits.then_some(ids).ok_or(LookupRule)
        });
        ids.map(Self)
    }
}

/// Who of some people is in a course
///
/// Those who hold a place in it or teach it, by id. Whether a draft is for somebody is the caller's
/// to decide.
#[utoipa::path(
    post, path = "/internal/courses/{id}/members/lookup", tag = "internal",
    security(("service_token" = [])),
    params(("id" = CourseId, Path, description = "The course")),
    request_body = LookupMembers,
    responses(
        (status = 200, body = CourseMembers, description = "Those who are in it"),
        (status = 403, description = "The caller is not a service"),
        (status = 404, description = "There is no such course"),
    ),
)]
pub(crate) async fn lookup_members(
    _caller: ServiceCaller,
    Id(id): Id<CourseId>,
    Body(Few(people)): Body<Few>,
    state: Data<State>,
) -> Result<Json<CourseMembers>, ApiError> {
    let database = &state.database;
    let course = catalogue::store::find(database, id).await?;
    let course = course.ok_or_else(ApiError::not_found)?;
    let teaches = people.contains(&course.instructor_id);
    let mut items = queries::list_enrolled_among(database, id, people).await?;
    items.extend(teaches.then_some(course.instructor_id));
    items.sort_unstable();
    items.dedup();
    let status = course.stage.into();
    Ok(Json(CourseMembers { status, items }))
}
