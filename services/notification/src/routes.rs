//! The whole API on one screen.

use actix_web::web::{self, ServiceConfig, get, post};

use crate::events::handlers::receive_events;
use crate::inbox::handlers::{
    count_unread, count_unread_of, list_notifications, read_all_notifications, read_notification,
};
use crate::live::handlers::stream_notifications;
use crate::state::State;

/// Puts the routes of this service on a worker.
pub(crate) fn configure(config: &mut ServiceConfig, state: &State) {
    config
        .app_data(web::Data::new(state.clone()))
        // For people.
        .service(web::resource("/notifications").route(get().to(list_notifications)))
        .service(web::resource("/notifications/unread-count").route(get().to(count_unread)))
        .service(web::resource("/notifications/read-all").route(post().to(read_all_notifications)))
        .service(web::resource("/notifications/{id}/read").route(post().to(read_notification)))
        .service(web::resource("/sse/notifications").route(get().to(stream_notifications)))
        // For the other services.
        .service(web::resource("/internal/events").route(post().to(receive_events)))
        .service(
            web::resource("/internal/users/{id}/unread-count").route(get().to(count_unread_of)),
        );
}
