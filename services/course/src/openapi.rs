//! The description of the API, put together from the routes; what all services share is added by
//! the chassis.

use lyceum_chassis::openapi::InCommon;
use utoipa::OpenApi;

use crate::catalogue::handlers as catalogue;
use crate::enrolments::handlers as enrolments;
use crate::enrolments::members;
use crate::events::handlers as events;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lyceum course service",
        description = "A catalogue of courses, and who is enrolled in them."
    ),
    paths(
        catalogue::list_courses,
        catalogue::create_course,
        catalogue::get_course,
        catalogue::update_course,
        catalogue::delete_course,
        catalogue::publish_course,
        enrolments::create_enrolment,
        enrolments::delete_enrolment,
        enrolments::get_enrolment,
        enrolments::list_user_courses,
        enrolments::get_user_stats,
        enrolments::list_enrolled_people,
        members::lookup_members,
        events::receive_events,
    ),
    tags(
        (name = "catalogue", description = "Courses: written as drafts, published, listed"),
        (name = "enrolments", description = "Places in courses: taken, given up, listed"),
        (name = "internal", description = "For services of the platform"),
    ),
    modifiers(&InCommon),
)]
pub(crate) struct Description;
