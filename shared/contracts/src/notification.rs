//! Requests and responses of the notification service.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::event::Envelope;
use crate::ids::{CourseId, NotificationId};

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
    /// When it was put away (UTC); `null` while it is in the inbox. What is put away is read.
    #[serde(with = "time::serde::rfc3339::option")]
    pub archived_at: Option<OffsetDateTime>,
    /// When it is news no more (UTC); nobody is shown it from then on. `null`: it stays.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
}

/// What became of a person's notifications: the `data` of one live event `change`.
///
/// It has a place in the sequence of the person as a notification has, so that whoever applies both
/// in order has what the inbox has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum NotificationChange {
    /// One was read.
    Read {
        /// Place in the person's sequence; the `id` of the live event, as in every other change.
        seq: i64,
        /// Which.
        id: NotificationId,
        /// What waits to be read since.
        count: UnreadCount,
    },
    /// One was marked as unread; if it was put away, it is in the inbox again.
    Unread {
        /// Place in the person's sequence.
        seq: i64,
        /// Which.
        id: NotificationId,
        /// What waits to be read since.
        count: UnreadCount,
    },
    /// One was put away, which also counts as read.
    Archived {
        /// Place in the person's sequence.
        seq: i64,
        /// Which.
        id: NotificationId,
        /// What waits to be read since.
        count: UnreadCount,
    },
    /// One that was put away is in the inbox again, as read.
    Unarchived {
        /// Place in the person's sequence.
        seq: i64,
        /// Which.
        id: NotificationId,
        /// What waits to be read since.
        count: UnreadCount,
    },
    /// One was deleted, or replaced by a newer one that follows.
    Deleted {
        /// Place in the person's sequence.
        seq: i64,
        /// Which.
        id: NotificationId,
        /// What waits to be read since.
        count: UnreadCount,
    },
    /// All were read whose place is not after `up_to`.
    ReadAll {
        /// Place in the person's sequence.
        seq: i64,
        /// The last place.
        up_to: i64,
        /// What waits to be read since.
        count: UnreadCount,
    },
    /// What stood at this place is there no more: deleted since, or expired.
    Gone {
        /// Its place in the person's sequence.
        seq: i64,
        /// Which it was.
        id: NotificationId,
    },
}

impl NotificationChange {
    /// Its place in the person's sequence.
    pub const fn seq(&self) -> i64 {
        match *self {
            Self::Read { seq, .. }
            | Self::Unread { seq, .. }
            | Self::Archived { seq, .. }
            | Self::Unarchived { seq, .. }
            | Self::Deleted { seq, .. }
            | Self::ReadAll { seq, .. }
            | Self::Gone { seq, .. } => seq,
        }
    }
}

/// Something that happened in a course, told to everybody in it: the `data` of one live event
/// `news`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CourseNews {
    /// Where.
    pub course_id: CourseId,
    /// Place in the sequence of the course, from 1 without gaps; the `id` of the live event.
    pub seq: i64,
    /// What happened: the name of the event that caused it, such as `course.updated`.
    pub kind: String,
    /// What is new, by kind; of `course.updated` its `title` and `version`.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
    /// When it was told (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
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
    /// Unread notifications in the inbox of this person, 99 at most.
    pub unread: u64,
    /// Whether there are more than that.
    #[serde(default)]
    #[schema(required = true)]
    pub capped: bool,
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
