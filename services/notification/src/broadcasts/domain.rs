//! What a broadcast says, and what becomes of it in an inbox. Pure.

use lyceum_chassis::http::Rule;
use lyceum_contracts::ids::UserId;
use serde_json::json;

use crate::entity::broadcast::Model;
use crate::events::domain::{BROADCAST, Notice};

/// Most characters of a title.
const MAX_TITLE: usize = 200;
/// Most characters of a body.
const MAX_BODY: usize = 5_000;
/// Most characters of a link: what every browser takes.
const MAX_LINK: usize = 2_000;
/// Most characters of a collapse key.
const MAX_KEY: usize = 64;

/// Why a text cannot be what it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TextError {
    #[error("must not be blank")]
    Blank,
    #[error("may have at most {0} characters")]
    TooLong(usize),
    #[error("must be one line without control characters")]
    ControlInLine,
    #[error("must have no control characters but line feeds")]
    Control,
    #[error("must be a path that begins with one slash, or an address that begins with https://")]
    NoLink,
    #[error("may have letters, digits, `.`, `_`, `:` and `-` alone")]
    NoKey,
}

impl Rule for TextError {
    fn code(&self) -> &'static str {
        match self {
            Self::Blank => "empty",
            Self::TooLong(_) => "too_long",
            Self::ControlInLine | Self::Control => "control_character",
            Self::NoLink => "malformed_link",
            Self::NoKey => "malformed_key",
        }
    }
}

/// One line.
pub(super) fn title(text: String) -> Result<String, TextError> {
    // The two separators are line breaks that Unicode does not count as control characters.
    let breaks = |char: char| char.is_control() || matches!(char, '\u{2028}' | '\u{2029}');
    if text.chars().any(breaks) {
        return Err(TextError::ControlInLine);
    }
    bounded(text, MAX_TITLE)
}

/// Lines, separated by line feeds.
pub(super) fn body(text: String) -> Result<String, TextError> {
    if text.chars().any(|char| char.is_control() && char != '\n') {
        return Err(TextError::Control);
    }
    bounded(text, MAX_BODY)
}

/// Where a click leads: within the page people use, or to another by https. Nothing that a browser
/// would run, and nothing that looks like the one and is the other.
pub(super) fn link(text: String) -> Result<String, TextError> {
    // A browser reads a backslash as a slash.
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = text.starts_with('/') && !text.starts_with("//");
    let elsewhere = text.strip_prefix("https://");
    if !plain || !(path || elsewhere.is_some_and(|rest| !rest.is_empty())) {
        return Err(TextError::NoLink);
    }
    bounded(text, MAX_LINK)
}

/// What a later broadcast names to take the place of this one.
pub(super) fn collapse_key(text: String) -> Result<String, TextError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    if !text.bytes().all(allowed) {
        return Err(TextError::NoKey);
    }
    bounded(text, MAX_KEY)
}

fn bounded(text: String, most: usize) -> Result<String, TextError> {
    if text.trim().is_empty() {
        Err(TextError::Blank)
    } else if text.chars().count() > most {
        Err(TextError::TooLong(most))
    } else {
        Ok(text)
    }
}

/// What one person finds in the inbox.
pub(super) fn notice(broadcast: &Model, recipient: UserId) -> Notice {
    let mut data = json!({ "broadcast_id": broadcast.id });
    if let Some(link) = &broadcast.link {
        data["link"] = json!(link);
    }
    let key = broadcast.collapse_key.as_deref();
    Notice {
        recipient,
        kind: BROADCAST,
        title: broadcast.title.clone(),
        body: broadcast.body.clone(),
        data,
        // No key of an event begins so: a broadcast takes the place of broadcasts alone.
        collapse_key: key.map(|key| format!("broadcast:{key}")),
        lasts: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_keep_to_their_bounds() {
        let verdict = |parse: fn(String) -> Result<String, TextError>, text: &str| {
            parse(text.to_owned()).err()
        };
        assert_eq!(verdict(title, &"ü".repeat(200)), None);
        assert_eq!(
            verdict(title, &"ü".repeat(201)),
            Some(TextError::TooLong(200))
        );
        assert_eq!(verdict(title, " \u{a0}"), Some(TextError::Blank));
        assert_eq!(verdict(title, "a\u{2028}b"), Some(TextError::ControlInLine));
        assert_eq!(verdict(body, "Dear all,\n\nwe are closed."), None);
        assert_eq!(verdict(body, "\n \n"), Some(TextError::Blank));
        assert_eq!(verdict(body, "a\r\nb"), Some(TextError::Control));
        assert_eq!(
            verdict(body, &"ü".repeat(5_001)),
            Some(TextError::TooLong(5_000))
        );
        assert_eq!(verdict(collapse_key, "week-7.2026_a:b"), None);
        assert_eq!(verdict(collapse_key, ""), Some(TextError::Blank));
        assert_eq!(verdict(collapse_key, "a b"), Some(TextError::NoKey));
        assert_eq!(
            verdict(collapse_key, &"k".repeat(65)),
            Some(TextError::TooLong(64))
        );
    }

    #[test]
    fn a_link_leads_within_the_page_or_to_another_by_https_and_runs_nothing() {
        for good in ["/", "/courses/7?a=b#c", "https://example.org/x"] {
            assert_eq!(link(good.to_owned()).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "//example.org",
            "/\\example.org",
            "javascript:alert(1)",
            "http://example.org",
            "https://",
            "courses/7",
            "/a b",
            "/a\nb",
            "data:text/html,x",
            "https://exämple.org",
        ] {
            assert_eq!(link(bad.to_owned()), Err(TextError::NoLink), "{bad:?}");
        }
        let long = format!("/{}", "a".repeat(2_000));
        assert_eq!(link(long), Err(TextError::TooLong(2_000)));
    }
}
