//! What somebody wants to be told by which channel.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `GET` and `PUT /preferences`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preferences {
    /// The language of letters, such as `de`; `null` for the platform's own.
    pub locale: Option<String>,
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
    pub locale: Option<String>,
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
