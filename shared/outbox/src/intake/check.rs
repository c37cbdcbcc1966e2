//! What an event may carry, whoever takes it in.

use lyceum_chassis::http::Rule;
use lyceum_contracts::event::Event;

/// The longest title of a thing an event may carry, in characters: well above what any service
/// of the platform lets people write.
const MAX_TITLE: usize = 1_000;
/// The longest text of an announcement, in characters; as with titles, above what may be written.
const MAX_TEXT: usize = 20_000;

/// Why an event cannot be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventRule {
    /// Its time is none.
    #[error("must be a time as RFC 3339 writes it")]
    Time,
    /// Its title is empty or too long.
    #[error("must hold a title of 1 to {MAX_TITLE} characters")]
    TitleLength,
    /// Its title holds what no line can show.
    #[error("must hold a title without control characters")]
    TitleControl,
    /// Its text is empty or too long.
    #[error("must hold a text of 1 to {MAX_TEXT} characters")]
    TextLength,
    /// Its text holds what cannot be shown.
    #[error("must hold a text without control characters but line breaks and tabs")]
    TextControl,
}

impl Rule for EventRule {
    fn code(&self) -> &'static str {
        match self {
            Self::Time => "invalid_time",
            Self::TitleLength | Self::TextLength => "out_of_range",
            Self::TitleControl | Self::TextControl => "control_character",
        }
    }
}

/// Refuses what a database could not keep or an inbox could not show.
///
/// # Errors
/// The rule it breaks.
pub fn check(event: &Event) -> Result<(), EventRule> {
    match event {
        Event::UserRegistered { .. }
        | Event::UserUpdated { .. }
        | Event::UserDeleted { .. }
        | Event::MailedLinkRequested { .. }
        | Event::EnrolmentDropped { .. }
        | Event::CourseDeleted { .. } => Ok(()),
        Event::AnnouncementPosted { title, text, .. } => {
            check_title(title)?;
            check_text(text)
        }
        Event::EnrolmentCreated { course_title, .. }
        | Event::CourseUpdated { course_title, .. } => check_title(course_title),
    }
}

fn check_title(title: &str) -> Result<(), EventRule> {
    if !(1..=MAX_TITLE).contains(&title.chars().count()) {
        return Err(EventRule::TitleLength);
    }
    if title.contains(char::is_control) {
        return Err(EventRule::TitleControl);
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), EventRule> {
    if !(1..=MAX_TEXT).contains(&text.chars().count()) {
        return Err(EventRule::TextLength);
    }
    if text.contains(|char: char| char.is_control() && !matches!(char, '\n' | '\r' | '\t')) {
        return Err(EventRule::TextControl);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_has_a_text_that_can_be_shown() {
        let posted = |text: &str| Event::AnnouncementPosted {
            announcement_id: 7,
            user_id: 2.try_into().unwrap(),
            title: "Maintenance".to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(check(&posted("On Sunday.\n\tAll day.")), Ok(()));
        assert_eq!(check(&posted("")), Err(EventRule::TextLength));
        let long = "n".repeat(MAX_TEXT + 1);
        assert_eq!(check(&posted(&long)), Err(EventRule::TextLength));
        assert_eq!(check(&posted("a\0")), Err(EventRule::TextControl));
    }
}
