//! The whole API on one screen.

use actix_web::web::{self, ServiceConfig, delete, get, patch, post, put};

use crate::broadcasts::handlers::{
    cancel_broadcast, get_broadcast, list_broadcasts, post_broadcast,
};
use crate::events::handlers::receive_events;
use crate::inbox::handlers::{
    archive_notification, count_unread, count_unread_of, delete_notification, list_notifications,
    read_all_notifications, read_notification, unarchive_notification, unread_notification,
};
use crate::live::connections::get_connections;
use crate::live::courses::handlers::{open_course_socket, stream_course};
use crate::live::handlers::{open_socket, stream_notifications};
use crate::live::tickets::handlers::create_stream_ticket;
use crate::mail::handlers::{cancel_delivery, list_deliveries, preview_template, retry_delivery};
use crate::preferences::handlers::{get_preferences, put_preferences};
use crate::preferences::unsubscribe::{show_unsubscribe, unsubscribe};
use crate::presence::handlers::{count_online, list_presence};
use crate::state::State;
use crate::webhooks::deliveries::handlers::{list_webhook_deliveries, resend_webhook_delivery};
use crate::webhooks::handlers::{
    create_webhook, delete_webhook, get_webhook, list_webhooks, rotate_webhook_secret,
    update_webhook,
};

/// Puts the routes of this service on a worker.
pub(crate) fn configure(config: &mut ServiceConfig, state: &State) {
    config
        .app_data(web::Data::new(state.clone()))
        // For people.
        .service(web::resource("/notifications").route(get().to(list_notifications)))
        .service(web::resource("/notifications/unread-count").route(get().to(count_unread)))
        .service(web::resource("/notifications/read-all").route(post().to(read_all_notifications)))
        .service(web::resource("/notifications/{id}").route(delete().to(delete_notification)))
        .service(web::resource("/notifications/{id}/read").route(post().to(read_notification)))
        .service(web::resource("/notifications/{id}/unread").route(post().to(unread_notification)))
        .service(
            web::resource("/notifications/{id}/archive").route(post().to(archive_notification)),
        )
        .service(
            web::resource("/notifications/{id}/unarchive").route(post().to(unarchive_notification)),
        )
        .service(web::resource("/sse/notifications").route(get().to(stream_notifications)))
        .service(web::resource("/ws/notifications").route(get().to(open_socket)))
        .service(web::resource("/sse/courses/{id}").route(get().to(stream_course)))
        .service(web::resource("/ws/courses/{id}").route(get().to(open_course_socket)))
        .service(web::resource("/stream-tickets").route(post().to(create_stream_ticket)))
        .service(
            web::resource("/preferences")
                .route(get().to(get_preferences))
                .route(put().to(put_preferences)),
        )
        .service(web::resource("/presence").route(get().to(list_presence)))
        // For whoever holds a letter.
        .service(
            web::resource("/unsubscribe")
                .route(get().to(show_unsubscribe))
                .route(post().to(unsubscribe)),
        )
        // For admins.
        .service(web::resource("/connections").route(get().to(get_connections)))
        .service(web::resource("/deliveries").route(get().to(list_deliveries)))
        .service(web::resource("/deliveries/{id}/retry").route(post().to(retry_delivery)))
        .service(web::resource("/deliveries/{id}/cancel").route(post().to(cancel_delivery)))
        .service(web::resource("/mail/templates/{name}/preview").route(get().to(preview_template)))
        .service(
            web::resource("/webhooks")
                .route(get().to(list_webhooks))
                .route(post().to(create_webhook)),
        )
        .service(
            web::resource("/webhooks/{id}")
                .route(get().to(get_webhook))
                .route(patch().to(update_webhook))
                .route(delete().to(delete_webhook)),
        )
        .service(web::resource("/webhooks/{id}/secret").route(post().to(rotate_webhook_secret)))
        .service(
            web::resource("/webhooks/{id}/deliveries").route(get().to(list_webhook_deliveries)),
        )
        .service(
            web::resource("/webhooks/{id}/deliveries/{delivery}/resend")
                .route(post().to(resend_webhook_delivery)),
        )
        .service(
            web::resource("/broadcasts")
                .route(get().to(list_broadcasts))
                .route(post().to(post_broadcast)),
        )
        .service(
            web::resource("/broadcasts/{id}")
                .route(get().to(get_broadcast))
                .route(delete().to(cancel_broadcast)),
        )
        .service(web::resource("/presence/count").route(get().to(count_online)))
        // For the other services.
        .service(web::resource("/internal/events").route(post().to(receive_events)))
        .service(
            web::resource("/internal/users/{id}/unread-count").route(get().to(count_unread_of)),
        );
}
