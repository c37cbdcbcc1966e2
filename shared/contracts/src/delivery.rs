//! Letters as admins see them: what became of each, and how they look.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::ids::{DeliveryId, UserId};

macro_rules! states {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal;)+) => {
        /// How far a letter is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[cfg_attr(
            feature = "sea-orm",
            derive(sea_orm::DeriveValueType),
            sea_orm(value_type = "String", column_type = "Text")
        )]
        #[serde(rename_all = "snake_case")]
        pub enum DeliveryState { $($(#[doc = $doc])* $name,)+ }

        impl DeliveryState {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

states! {
    /// It waits for its turn, or for its next attempt.
    Queued = "queued";
    /// Somebody is sending it.
    Sending = "sending";
    /// The mail server has accepted it.
    Sent = "sent";
    /// It was refused for good, or too often.
    Dead = "dead";
    /// Nobody wants it any more.
    Cancelled = "cancelled";
}

/// The text names no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no state of a letter")]
pub struct UnknownState;

impl FromStr for DeliveryState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        let named = |state: &&Self| state.as_str() == text;
        Self::ALL.iter().find(named).copied().ok_or(UnknownState)
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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
    /// Its `Message-ID`, the same at each attempt.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_reads_back_from_its_word_which_is_the_same_in_json() {
        for state in DeliveryState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        assert_eq!("lost".parse::<DeliveryState>(), Err(UnknownState));
    }
}
