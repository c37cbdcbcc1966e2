//! The whole API on one screen.

use actix_web::web::{Data, ServiceConfig, delete, get, patch, post, resource};

use crate::catalogue::handlers::{
    create_course, delete_course, get_course, list_courses, publish_course, update_course,
};
use crate::enrolments::handlers::{
    create_enrolment, delete_enrolment, get_enrolment, get_user_stats, list_enrolled_people,
    list_user_courses,
};
use crate::enrolments::members::lookup_members;
use crate::events::handlers::receive_events;
use crate::state::State;

/// Called once per worker.
pub(crate) fn configure(config: &mut ServiceConfig, state: &State) {
    config
        .app_data(Data::new(state.clone()))
        .service(
            resource("/courses")
                .route(get().to(list_courses))
                .route(post().to(create_course)),
        )
        .service(
            resource("/courses/{id}")
                .route(get().to(get_course))
                .route(patch().to(update_course))
                .route(delete().to(delete_course)),
        )
        .service(resource("/courses/{id}/publish").route(post().to(publish_course)))
        .service(
            resource("/courses/{id}/enrolments")
                .route(post().to(create_enrolment))
                .route(delete().to(delete_enrolment)),
        )
        .service(resource("/enrolments/{id}").route(get().to(get_enrolment)))
        .service(resource("/users/{id}/courses").route(get().to(list_user_courses)))
        .service(resource("/users/{id}/stats").route(get().to(get_user_stats)))
        .service(resource("/internal/events").route(post().to(receive_events)))
        .service(
            resource("/internal/courses/{id}/enrolments").route(get().to(list_enrolled_people)),
        )
        .service(
            resource("/internal/courses/{id}/members/lookup").route(post().to(lookup_members)),
        );
}
