//! Webhooks as admins see them: who is told of what, and what became of each message.
//!
//! What a receiver reads follows the Standard Webhooks: [`header`] and [`Message`].

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::delivery::DeliveryState;
use crate::event::Event;
use crate::ids::{UserId, WebhookDeliveryId, WebhookId};
use crate::schema;
use crate::words::words;

/// The headers of a message to a receiver.
pub mod header {
    /// What tells a message from every other, the same whenever it is sent again.
    pub const ID: &str = "webhook-id";
    /// When it was sent, this time: seconds since 1970.
    pub const TIMESTAMP: &str = "webhook-timestamp";
    /// `v1,` and the base64 of an HMAC-SHA256 over id, timestamp and body, with full stops between
    /// them; two, with a space between them, while an old secret counts too.
    pub const SIGNATURE: &str = "webhook-signature";
}

/// The text names no kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no kind of event that webhooks tell of")]
pub struct UnknownEventKind;

macro_rules! event_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)+) => {
        /// What a webhook may tell of: what happens to people. Links that are mailed are nobody else's
        /// concern.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EventKind { $($(#[$doc])* #[serde(rename = $name)] $kind,)+ }

        impl EventKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The name on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }
        }

        impl FromStr for EventKind {
            type Err = UnknownEventKind;

            fn from_str(name: &str) -> Result<Self, UnknownEventKind> {
                match name { $($name => Ok(Self::$kind),)+ _ => Err(UnknownEventKind) }
            }
        }
    };
}

event_kinds! {
    /// Somebody opened an account.
    UserRegistered = "user.registered",
    /// The name or the role of an account has changed.
    UserUpdated = "user.updated",
    /// An account was deleted: whoever keeps something of the person erases it.
    UserDeleted = "user.deleted",
    /// An announcement of the platform has reached a person's turn.
    AnnouncementPosted = "announcement.posted",
    /// Somebody has a place in a course.
    EnrolmentCreated = "enrolment.created",
    /// Somebody has given up a place in a course.
    EnrolmentDropped = "enrolment.dropped",
}

// By hand: a derive in a macro does not see the names.
impl PartialSchema for EventKind {
    fn schema() -> RefOr<Schema> {
        schema::word(Self::ALL.iter().map(|kind| kind.as_str()))
            .description(Some("What a webhook may tell of: what happens to people"))
            .into()
    }
}

impl ToSchema for EventKind {}

impl EventKind {
    /// What kind of event it is, and whom it is about; `None` for one that webhooks do not tell of.
    pub const fn of(event: &Event) -> Option<(Self, UserId)> {
        Some(match event {
            Event::UserRegistered { user_id } => (Self::UserRegistered, *user_id),
            Event::UserUpdated { user_id } => (Self::UserUpdated, *user_id),
            Event::UserDeleted { user_id } => (Self::UserDeleted, *user_id),
            Event::AnnouncementPosted { user_id, .. } => (Self::AnnouncementPosted, *user_id),
            Event::EnrolmentCreated { user_id, .. } => (Self::EnrolmentCreated, *user_id),
            Event::EnrolmentDropped { user_id, .. } => (Self::EnrolmentDropped, *user_id),
            Event::MailedLinkRequested { .. }
            | Event::CourseUpdated { .. }
            | Event::CourseDeleted { .. } => return None,
        })
    }
}

/// The body of a message to a receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// What happened.
    pub r#type: EventKind,
    /// When it became true (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub timestamp: OffsetDateTime,
    /// Ids, and what was published.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// The text names no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook is disabled because it is gone, because it is failing, or by an admin")]
pub struct UnknownReason;

words! {
    /// Why nothing is sent to a receiver.
    DisabledBecause or UnknownReason {
        /// An admin wants it so.
        Admin = "admin",
        /// The receiver has answered 410.
        Gone = "gone",
        /// Everything has failed for too long.
        Failing = "failing",
    }
}

/// The body of `POST /webhooks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreateWebhook {
    /// Where messages go: https, on the public Internet, without a user, a password or a fragment.
    #[schema(
        max_length = 2000,
        format = "uri",
        example = "https://example.org/lyceum"
    )]
    pub url: String,
    /// What they tell of, each once.
    #[schema(schema_with = schema::event_kinds)]
    pub events: Vec<EventKind>,
}

/// The body of `PATCH /webhooks/{id}`; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpdateWebhook {
    /// Where messages go from now on, those that wait included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 2000, format = "uri")]
    pub url: Option<String>,
    /// What they tell of from now on, each once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::event_kinds)]
    pub events: Option<Vec<EventKind>>,
    /// Whether anything is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub enabled: Option<bool>,
}

/// A receiver of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where messages go.
    pub url: String,
    /// What they tell of.
    pub events: Vec<EventKind>,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Why not, if nothing is.
    pub disabled_because: Option<DisabledBecause>,
    /// Since when everything has failed (UTC); `null` after a message that was accepted.
    #[serde(with = "time::serde::rfc3339::option")]
    pub failing_since: Option<OffsetDateTime>,
    /// Until when messages are signed with the secret before this one too (UTC).
    #[serde(with = "time::serde::rfc3339::option")]
    pub old_secret_until: Option<OffsetDateTime>,
    /// When it was registered (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it was last changed (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// A receiver with its secret, which is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookWithSecret {
    /// The receiver.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What its messages are signed with: `whsec_` and 32 bytes in base64.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    pub secret: String,
}

/// One message to one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookDelivery {
    /// Grows with time; what the list is ordered by.
    pub id: WebhookDeliveryId,
    /// What stands in `webhook-id`, the same at each attempt.
    pub message_id: String,
    /// What it tells of: the name of a kind of event.
    pub event: String,
    /// How far it is.
    pub state: DeliveryState,
    /// Attempts that failed.
    pub attempts: i64,
    /// The HTTP status of the last answer; `null` before the first one, and when there was none.
    pub status_code: Option<i64>,
    /// A word for what went wrong last, such as `http_500`, `timeout` or `private_address`.
    pub error: Option<String>,
    /// When it is tried next, or whoever sends it loses it to another (UTC); `null` when it has
    /// come to its end.
    #[serde(with = "time::serde::rfc3339::option")]
    pub due_at: Option<OffsetDateTime>,
    /// When the event was taken in (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it came to this state (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_the_name_of_its_event_everywhere() {
        for kind in EventKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        let event = Event::UserDeleted {
            user_id: 7.try_into().unwrap(),
        };
        let (kind, person) = EventKind::of(&event).unwrap();
        assert_eq!((kind.as_str(), person.get()), (event.name(), 7));
    }

    #[test]
    fn nobody_is_told_of_links_that_are_mailed() {
        assert_eq!(
            "mailed_link.requested".parse::<EventKind>(),
            Err(UnknownEventKind)
        );
    }
}
