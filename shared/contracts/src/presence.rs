//! Who is there: on a live stream now, or when last.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::ids::UserId;
use crate::words::words;

/// The most people one `GET /presence` may ask for.
pub const MAX_ASKED: usize = 100;

/// The text names no visibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be shown or hidden")]
pub struct UnknownVisibility;

words! {
    /// Whether others see when somebody is there.
    #[derive(Default)]
    Visibility or UnknownVisibility {
        /// They do.
        #[default]
        Shown = "shown",
        /// Admins alone do.
        Hidden = "hidden",
    }
}

/// Answer of `GET /presence?user_ids`: one for each who was asked for, by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PresenceList {
    /// The people.
    pub items: Vec<Presence>,
}

/// Whether somebody is there. Of who is hidden, and of who is nobody, others read the same: not
/// there, and never seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Presence {
    /// Who.
    pub user_id: UserId,
    /// Whether a live stream of theirs is open, or was a few seconds ago.
    pub online: bool,
    /// When one was open last, to the minute (UTC); `null` if none ever was.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_seen_at: Option<OffsetDateTime>,
}

/// Answer of `GET /presence/count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OnlineCount {
    /// People with an open live stream, those who are hidden included.
    pub online: u64,
}
