//! What somebody wants to be told by which channel.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::presence::Visibility;
use crate::words::words;

/// The text names no way to gather letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be off, hourly or daily")]
pub struct UnknownDigest;

words! {
    /// Whether letters that can wait are gathered to one.
    #[derive(Default)]
    Digest or UnknownDigest {
        /// Each comes by itself.
        #[default]
        Off = "off",
        /// At the full hour.
        Hourly = "hourly",
        /// At eight in the morning.
        Daily = "daily",
    }
}

/// Answer of `GET` and `PUT /preferences`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preferences {
    /// The language of letters, such as `de`; `null` for the platform's own.
    pub locale: Option<String>,
    /// Whether letters of the types that are `mutable` are gathered to one.
    pub digest: Digest,
    /// From when on such letters wait, such as `22:00`, each day; `null` for never.
    pub quiet_from: Option<String>,
    /// Until when they wait, such as `07:00`.
    pub quiet_until: Option<String>,
    /// How far the person's clock is ahead of UTC, in minutes.
    pub utc_offset_minutes: i64,
    /// Whether others see when the person is there.
    #[serde(default)]
    pub presence: Visibility,
    /// Every type there is.
    pub items: Vec<Preference>,
}

/// By which channels somebody is told of one type of event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preference {
    /// The name of the event, such as `enrolment.created`.
    pub r#type: String,
    /// Whether it stands in the inbox; of what has a line there, it always does.
    pub inbox: bool,
    /// Whether a letter is sent.
    pub mail: bool,
    /// Whether `mail` can be turned off: not for what the safety of an account hangs on.
    pub mutable: bool,
}

/// Body of `PUT /preferences`. What is not named is as it is for somebody who never chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SetPreferences {
    /// The language of letters: `de` or `en`; the platform's own without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(de|en)$")]
    pub locale: Option<String>,
    /// Whether letters of the types that are `mutable` are gathered to one; `off` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// From when on such letters wait, such as `22:00`, each day. Both times, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub quiet_from: Option<String>,
    /// Until when they wait, such as `07:00`; before `quiet_from`, over midnight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub quiet_until: Option<String>,
    /// How far the person's clock is ahead of UTC, in minutes; 0 without it. It follows no change
    /// of the clocks: say it again then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -840, maximum = 840)]
    pub utc_offset_minutes: Option<i64>,
    /// Whether others see when the person is there; without it that stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<Visibility>,
    /// Choices, at most one for each type.
    #[schema(max_items = 100)]
    pub items: Vec<SetPreference>,
}

/// By which channels somebody wants to be told of one type of event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SetPreference {
    /// The name of the event.
    pub r#type: String,
    /// Whether it stands in the inbox; `false` is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox: Option<bool>,
    /// Whether a letter is sent.
    pub mail: bool,
}
