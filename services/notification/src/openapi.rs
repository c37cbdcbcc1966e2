//! The description of the API, served at `/openapi.json`.

use lyceum_chassis::openapi::InCommon;
use lyceum_contracts::notification::Notification;
use utoipa::OpenApi;

use crate::live::domain::{ByeEvent, SyncEvent};
use crate::{events, inbox, live};

/// All routes, with every answer they give.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lyceum notification service",
        description = "Inboxes, and the live streams that show them."
    ),
    paths(
        inbox::handlers::list_notifications,
        inbox::handlers::count_unread,
        inbox::handlers::read_all_notifications,
        inbox::handlers::read_notification,
        live::handlers::stream_notifications,
        events::handlers::receive_events,
        inbox::handlers::count_unread_of,
    ),
    // The data of live events, which no response names.
    components(schemas(Notification, SyncEvent, ByeEvent)),
    tags(
        (name = "inbox", description = "For people: what they were told"),
        (name = "live", description = "For people: the same as it comes"),
        (name = "internal", description = "For the other services of the platform"),
    ),
    modifiers(&InCommon)
)]
pub(crate) struct Description;
