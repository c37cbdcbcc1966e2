//! Letters as admins see them: what became of each, and how they look.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::ids::{DeliveryId, UserId};
use crate::words::words;

/// The text names no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no state of a delivery")]
pub struct UnknownState;

words! {
    /// How far a letter is, or a message of a webhook.
    DeliveryState or UnknownState {
        /// It waits for its turn, or for its next attempt.
        Queued = "queued",
        /// Somebody is sending it.
        Sending = "sending",
        /// It was accepted.
        Sent = "sent",
        /// It was refused for good, or too often.
        Dead = "dead",
        /// Nobody wants it any more.
        Cancelled = "cancelled",
    }
}

/// One letter to one person. It says neither where it went nor what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// Grows with time; what the list is ordered by.
    pub id: DeliveryId,
    /// Whom it is to.
    pub user_id: UserId,
    /// Which letter it is: the name of its template.
    pub template: String,
    /// How far it is.
    pub state: DeliveryState,
    /// Attempts that failed.
    pub attempts: i64,
    /// When it is tried next, or whoever sends it loses it to another (UTC); `null` when it has
    /// come to its end.
    #[serde(with = "time::serde::rfc3339::option")]
    pub due_at: Option<OffsetDateTime>,
    /// Its `Message-ID`, the same at each attempt; a digest has one of its own, made of these.
    pub message_id: String,
    /// A word for what went wrong last, such as `smtp_550` or `timeout`.
    pub error: Option<String>,
    /// When it was caused (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it came to this state (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// A letter as it looks, about somebody and something made up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LetterPreview {
    /// What stands in the list of a mailbox.
    pub subject: String,
    /// The letter as plain text.
    pub text: String,
    /// The letter as a page.
    pub html: String,
}
