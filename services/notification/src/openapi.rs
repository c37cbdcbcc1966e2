//! The description of the API, served at `/openapi.json`.

use lyceum_chassis::openapi::InCommon;
use lyceum_contracts::notification::{CourseNews, Notification, NotificationChange};
use lyceum_contracts::webhook::Message;
use utoipa::OpenApi;

use crate::live::domain::{ByeEvent, SyncEvent};
use crate::live::socket::message::{ClientMessage, ServerMessage};
use crate::{broadcasts, events, inbox, live, mail, preferences, presence, webhooks};

/// All routes, with every answer they give.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lyceum notification service",
        description = "Inboxes, the live streams that show them, letters, and webhooks."
    ),
    paths(
        inbox::handlers::list_notifications,
        inbox::handlers::count_unread,
        inbox::handlers::read_all_notifications,
        inbox::handlers::read_notification,
        inbox::handlers::unread_notification,
        inbox::handlers::archive_notification,
        inbox::handlers::unarchive_notification,
        inbox::handlers::delete_notification,
        live::handlers::stream_notifications,
        live::handlers::open_socket,
        live::courses::handlers::stream_course,
        live::courses::handlers::open_course_socket,
        live::connections::get_connections,
        live::tickets::handlers::create_stream_ticket,
        preferences::handlers::get_preferences,
        preferences::handlers::put_preferences,
        preferences::unsubscribe::show_unsubscribe,
        preferences::unsubscribe::unsubscribe,
        mail::handlers::list_deliveries,
        mail::handlers::retry_delivery,
        mail::handlers::cancel_delivery,
        mail::handlers::preview_template,
        webhooks::handlers::create_webhook,
        webhooks::handlers::list_webhooks,
        webhooks::handlers::get_webhook,
        webhooks::handlers::update_webhook,
        webhooks::handlers::delete_webhook,
        webhooks::handlers::rotate_webhook_secret,
        webhooks::deliveries::handlers::list_webhook_deliveries,
        webhooks::deliveries::handlers::resend_webhook_delivery,
        broadcasts::handlers::post_broadcast,
        broadcasts::handlers::list_broadcasts,
        broadcasts::handlers::get_broadcast,
        broadcasts::handlers::cancel_broadcast,
        presence::handlers::list_presence,
        presence::handlers::count_online,
        events::handlers::receive_events,
        inbox::handlers::count_unread_of,
    ),
    // What is said on live streams and to webhooks, which no response names.
    components(schemas(
        Notification,
        NotificationChange,
        CourseNews,
        SyncEvent,
        ByeEvent,
        ClientMessage,
        ServerMessage,
        Message
    )),
    tags(
        (name = "inbox", description = "For people: what they were told"),
        (name = "live", description = "For people: the same as it comes"),
        (name = "preferences", description = "For people: what they want letters of"),
        (name = "mail", description = "For admins: letters, and what became of them"),
        (name = "webhooks", description = "For admins: machines that are told what happens, and what became of each message"),
        (name = "broadcasts", description = "For admins: telling many people something"),
        (name = "presence", description = "For people: who is there, and when last"),
        (name = "internal", description = "For the other services of the platform"),
    ),
    modifiers(&InCommon)
)]
pub(crate) struct Description;
