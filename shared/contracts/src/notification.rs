//! Requests and responses of the notification service.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::event::Envelope;
use crate::ids::NotificationId;

/// One line of a person's inbox, and the `data` of one live event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// Place in this person's sequence, from 1 without gaps; the `id` of the live event.
    pub seq: i64,
    /// What it is about: the name of the event that caused it.
    pub kind: String,
    /// One line.
    pub title: String,
    /// A sentence or two, plain text.
    pub body: String,
    /// Ids a client can link to, by kind.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
    /// When it was made (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it was read (UTC); `null` while unread.
    #[serde(with = "time::serde::rfc3339::option")]
    pub read_at: Option<OffsetDateTime>,
}

/// What opens one live stream for a client that can send no header.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamTicket {
    /// The `ticket` of the query; it counts once. Whoever has it listens as the person.
    pub ticket: String,
    /// When it stops counting (UTC), half a minute after it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

impl std::fmt::Debug for StreamTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamTicket")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// How many notifications wait to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnreadCount {
    /// Unread notifications of this person.
    pub unread: u64,
}

/// Body of `POST /internal/events`: 1 to [`crate::event::MAX_BATCH`] events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventBatch {
    /// The events, oldest first.
    pub events: Vec<Envelope>,
}

/// What became of a batch. Both counts are successes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventReceipt {
    /// Events that had their effect now.
    pub accepted: u64,
    /// Events known already, which did nothing.
    pub duplicates: u64,
}
