//! The words and numbers a course is made of. A value that exists obeys its rule.
//!
//! What is kept is what was sent: nothing is trimmed or normalised, so what cannot stay is refused.

use lyceum_chassis::http::Rule;
use serde::Serialize;

/// One line, 1 to [`CourseTitle::MAX`] characters, no space at either end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CourseTitle(String);

/// Plain text of any number of lines, up to [`CourseDescription::MAX`] characters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct CourseDescription(String);

/// Places in a course, 1 to [`Capacity::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Capacity(u32);

/// Why a value cannot be part of a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TextRule {
    #[error("must not be empty")]
    Empty,
    #[error("must not be longer than {0} characters")]
    TooLong(usize),
    #[error("must not begin or end with a space")]
    OuterSpace,
    #[error("must be one line without control characters")]
    NotOneLine,
    #[error("must be plain text: control characters other than tab and line break are refused")]
    NotPlainText,
    #[error("must be from 1 to {}", Capacity::MAX)]
    OutOfRange,
}

impl Rule for TextRule {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong(_) => "too_long",
            Self::OuterSpace => "outer_space",
            Self::NotOneLine | Self::NotPlainText => "control_character",
            Self::OutOfRange => "out_of_range",
        }
    }
}

impl CourseTitle {
    /// In characters, not bytes.
    pub(crate) const MAX: usize = 200;

    pub(crate) fn parse(text: String) -> Result<Self, TextRule> {
        if text.is_empty() {
            return Err(TextRule::Empty);
        }
        if text.chars().count() > Self::MAX {
            return Err(TextRule::TooLong(Self::MAX));
        }
        // U+2028 and U+2029 break lines and are not control characters.
        if text.contains(|char: char| char.is_control() || matches!(char, '\u{2028}' | '\u{2029}'))
        {
            return Err(TextRule::NotOneLine);
        }
        if text.trim() != text {
            return Err(TextRule::OuterSpace);
        }
        Ok(Self(text))
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl CourseDescription {
    /// In characters, not bytes.
    pub(crate) const MAX: usize = 10_000;

    pub(crate) fn parse(text: String) -> Result<Self, TextRule> {
        if text.chars().count() > Self::MAX {
            return Err(TextRule::TooLong(Self::MAX));
        }
        if text.contains(|char: char| char.is_control() && !matches!(char, '\n' | '\r' | '\t')) {
            return Err(TextRule::NotPlainText);
        }
        Ok(Self(text))
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl Capacity {
    pub(crate) const MAX: u32 = 100_000;

    pub(crate) fn parse(places: i64) -> Result<Self, TextRule> {
        u32::try_from(places)
            .ok()
            .filter(|places| (1..=Self::MAX).contains(places))
            .map(Self)
            .ok_or(TextRule::OutOfRange)
    }

    pub(crate) const fn get(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn title(text: &str) -> Result<String, TextRule> {
        CourseTitle::parse(text.to_owned()).map(CourseTitle::into_string)
    }

    #[test]
    fn a_title_is_one_line_of_1_to_200_characters() {
        assert_eq!(title(""), Err(TextRule::Empty));
        assert_eq!(title(" "), Err(TextRule::OuterSpace));
        assert_eq!(title("Logic "), Err(TextRule::OuterSpace));
        for text in ["a\0b", "a\nb", "a\rb", "a\u{85}b", "a\u{2028}b", "a\u{7f}"] {
            assert_eq!(title(text), Err(TextRule::NotOneLine), "{text:?}");
        }
        assert!(
            title(&"é".repeat(200)).is_ok(),
            "characters are counted, not bytes"
        );
        assert_eq!(title(&"é".repeat(201)), Err(TextRule::TooLong(200)));
    }

    #[test]
    fn a_description_may_be_empty_and_have_lines() {
        let parse = |text: &str| CourseDescription::parse(text.to_owned());
        assert!(parse("").is_ok());
        assert!(parse("one\r\n\ttwo").is_ok());
        assert_eq!(parse("a\0b"), Err(TextRule::NotPlainText));
        assert_eq!(parse("\u{1b}[31m"), Err(TextRule::NotPlainText));
        assert!(parse(&"é".repeat(10_000)).is_ok());
        assert_eq!(parse(&"é".repeat(10_001)), Err(TextRule::TooLong(10_000)));
    }

    #[test]
    fn a_capacity_is_from_1_to_100_000() {
        assert_eq!(Capacity::parse(1).map(Capacity::get), Ok(1));
        assert_eq!(Capacity::parse(100_000).map(Capacity::get), Ok(100_000));
        for places in [0, -1, 100_001, i64::MAX, i64::MIN] {
            assert_eq!(
                Capacity::parse(places),
                Err(TextRule::OutOfRange),
                "{places}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_title_is_kept_as_it_was_sent_or_refused(text in "\\PC{0,210}|.{0,20}") {
            if let Ok(kept) = title(&text) {
                prop_assert_eq!(&kept, &text);
                prop_assert!((1..=200).contains(&kept.chars().count()));
                prop_assert_eq!(kept.lines().count(), 1);
            }
        }

        #[test]
        fn a_description_never_holds_what_a_database_refuses(text in any::<String>()) {
            if let Ok(kept) = CourseDescription::parse(text.clone()) {
                let kept = kept.into_string();
                prop_assert!(!kept.contains('\0'));
                prop_assert_eq!(kept, text);
            }
        }
    }
}
