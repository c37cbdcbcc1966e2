//! The description of the API, served at `/openapi.json`.

use lyceum_contracts::notification::Notification;
use lyceum_contracts::problem::MEDIA_TYPE;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi, openapi};

use crate::live::domain::{Bye, Sync};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lyceum notification service",
        description = "Inboxes, and the live streams that show them.",
    ),
    paths(
        crate::inbox::handlers::list_notifications,
        crate::inbox::handlers::count_unread,
        crate::inbox::handlers::read_all_notifications,
        crate::inbox::handlers::read_notification,
        crate::live::handlers::stream_notifications,
        crate::events::handlers::receive_events,
        crate::inbox::handlers::count_unread_of,
    ),
    // The data of live events, which no response names.
    components(schemas(Notification, Sync, Bye)),
    tags(
        (name = "inbox", description = "For people: what they were told"),
        (name = "live", description = "For people: the same as it comes"),
        (name = "internal", description = "For the other services of the platform"),
    ),
    modifiers(&InCommon),
)]
struct Description;

/// What every route has without saying so: the two kinds of bearer token, and the media type of
/// problems.
struct InCommon;

impl Modify for InCommon {
    fn modify(&self, description: &mut openapi::OpenApi) {
        let components = description.components.get_or_insert_default();
        for (name, meaning) in [
            ("access_token", "An access token of the user service"),
            (
                "service_token",
                "A service token made with the platform's secret",
            ),
        ] {
            let mut scheme = Http::new(HttpAuthScheme::Bearer);
            scheme.bearer_format = Some("JWT".to_owned());
            scheme.description = Some(meaning.to_owned());
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
        for path in description.paths.paths.values_mut() {
            for operation in [&mut path.get, &mut path.post].into_iter().flatten() {
                call_problems_by_name(operation);
            }
        }
    }
}

fn call_problems_by_name(operation: &mut Operation) {
    for (status, answer) in &mut operation.responses.responses {
        if let RefOr::T(answer) = answer
            && !status.starts_with('2')
            && let Some(content) = answer.content.shift_remove("application/json")
        {
            answer.content.insert(MEDIA_TYPE.to_owned(), content);
        }
    }
}

/// All routes, with every answer they give.
pub(crate) fn description() -> openapi::OpenApi {
    Description::openapi()
}
