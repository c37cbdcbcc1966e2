//! What an announcement says.

use lyceum_chassis::http::Rule;

/// Most characters of a title.
const MAX_TITLE: usize = 200;
/// Most characters of a text.
const MAX_TEXT: usize = 5_000;

/// One line of 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Title(String);

/// Lines of 1 to 5000 characters together, separated by line feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(String);

/// Why a title or a text cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum WordsError {
    #[error("must not be blank")]
    Blank,
    #[error("may have at most {0} characters")]
    TooLong(usize),
    #[error("must be one line without control characters")]
    ControlInLine,
    #[error("must have no control characters but line feeds")]
    Control,
}

impl Rule for WordsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Blank => "empty",
            Self::TooLong(_) => "too_long",
            Self::ControlInLine | Self::Control => "control_character",
        }
    }
}

impl Title {
    pub(super) fn parse(text: String) -> Result<Self, WordsError> {
        // The two separators are line breaks that Unicode does not count as control characters.
        let breaks = |char: char| char.is_control() || matches!(char, '\u{2028}' | '\u{2029}');
        if text.chars().any(breaks) {
            return Err(WordsError::ControlInLine);
        }
        bounded(text, MAX_TITLE).map(Self)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_inner(self) -> String {
        self.0
    }
}

impl Text {
    pub(super) fn parse(text: String) -> Result<Self, WordsError> {
        if text.chars().any(|char| char.is_control() && char != '\n') {
            return Err(WordsError::Control);
        }
        bounded(text, MAX_TEXT).map(Self)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_inner(self) -> String {
        self.0
    }
}

fn bounded(text: String, most: usize) -> Result<String, WordsError> {
    if text.trim().is_empty() {
        Err(WordsError::Blank)
    } else if text.chars().count() > most {
        Err(WordsError::TooLong(most))
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_of_1_to_200_characters() {
        let verdict = |text: &str| Title::parse(text.to_owned()).err();
        assert_eq!(verdict(&"ü".repeat(200)), None);
        assert_eq!(verdict(&"ü".repeat(201)), Some(WordsError::TooLong(200)));
        for text in ["", " ", "\u{a0}"] {
            assert_eq!(verdict(text), Some(WordsError::Blank), "{text:?}");
        }
        for text in ["a\nb", "a\u{2028}b", "\0", "a\u{1b}[2J"] {
            assert_eq!(verdict(text), Some(WordsError::ControlInLine), "{text:?}");
        }
    }

    #[test]
    fn a_text_may_have_lines_and_5000_characters() {
        let verdict = |text: &str| Text::parse(text.to_owned()).err();
        assert_eq!(verdict("Dear all,\n\nthe library is closed.\n"), None);
        assert_eq!(verdict(&"ü".repeat(5_000)), None);
        assert_eq!(
            verdict(&"ü".repeat(5_001)),
            Some(WordsError::TooLong(5_000))
        );
        assert_eq!(verdict("\n \n"), Some(WordsError::Blank));
        for text in ["a\r\nb", "a\tb", "a\0"] {
            assert_eq!(verdict(text), Some(WordsError::Control), "{text:?}");
        }
    }
}
