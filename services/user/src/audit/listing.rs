//! Which entries somebody asks for.

use lyceum_chassis::http::{Fields, FromFields, Rule, Window};
use lyceum_contracts::audit::UnknownAction;
use lyceum_contracts::ids::{InvalidId, UserId};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::Action;

/// The query of `GET /audit`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listing {
    /// What this person did, and what was done to their account.
    pub(crate) user: Option<UserId>,
    pub(crate) action: Option<Action>,
    /// Nothing older than this.
    pub(crate) since: Option<OffsetDateTime>,
    /// Which of them, newest first.
    pub(crate) window: Window,
}

/// Why a filter cannot be used.
#[derive(Debug, thiserror::Error)]
enum FilterError {
    #[error(transparent)]
    User(#[from] InvalidId),
    #[error(transparent)]
    Action(#[from] UnknownAction),
    #[error("must be a time such as 2026-11-22T17:30:00Z")]
    Since,
}

impl Rule for FilterError {
    fn code(&self) -> &'static str {
        match self {
            Self::User(_) => "invalid_id",
            Self::Action(_) => "unknown_action",
            Self::Since => "malformed_time",
        }
    }
}

impl FromFields for Listing {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let user = fields.optional("user_id", |text: String| {
            Ok::<UserId, FilterError>(text.parse()?)
        });
        let action = fields.optional("action", |text: String| {
            Ok::<Action, FilterError>(text.parse()?)
        });
        let since = fields.optional("since", |text: String| {
            parse_time(&text).ok_or(FilterError::Since)
        });
        let window = Window::from_fields(fields);
        Some(Self {
            user: user?,
            action: action?,
            since: since?,
            window: window?,
        })
    }
}

/// RFC 3339, as long as the moment has a date in UTC as well: the last hours of the year 9999 can
/// have none.
fn parse_time(text: &str) -> Option<OffsetDateTime> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    time.checked_to_offset(UtcOffset::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_one_with_an_offset_and_a_date_in_utc() {
        for text in ["2026-11-22T17:30:00Z", "2026-11-22T17:30:00.5+02:00"] {
            assert!(parse_time(text).is_some(), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2026-11-22",
            "2026-11-22T17:30:00",
            "2026-11-22T17:30:00 02:00",
            "2026-02-30T00:00:00Z",
            "9999-12-31T23:59:59-23:59",
        ] {
            assert!(parse_time(text).is_none(), "{text}");
        }
    }
}
