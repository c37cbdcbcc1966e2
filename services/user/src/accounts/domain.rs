//! What an account is made of: newtypes that cannot hold a wrong value.

use std::fmt;

use lyceum_chassis::http::Rule;

use crate::entity::user::fold_email;

/// Longest address a mail server must accept (RFC 5321 §4.5.3.1, less the angle brackets).
const MAX_EMAIL: usize = 254;
/// Longest part before the @ (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// Longest label of a domain name (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;
/// What may stand before the @ besides letters and digits (WHATWG HTML, "valid e-mail address").
const LOCAL_SIGNS: &[u8] = b"!#$%&'*+/=?^_`{|}~-";
/// Most characters of a name.
const MAX_NAME: usize = 200;

/// An address as a browser's e-mail field accepts it; ASCII throughout.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Email {
    typed: String,
    folded: String,
}

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EmailError {
    #[error("may have at most {MAX_EMAIL} characters, {MAX_LOCAL} of them before the @")]
    TooLong,
    #[error("must be an e-mail address such as ada@example.org")]
    Malformed,
}

impl Rule for EmailError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "malformed_email",
        }
    }
}

impl Email {
    /// Reads an address; space around it, which keyboards add, is dropped.
    pub(crate) fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim_matches(' ');
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Malformed)?;
        if text.len() > MAX_EMAIL || local.len() > MAX_LOCAL {
            return Err(EmailError::TooLong);
        }
        if !local.split('.').all(is_atom) || !domain.split('.').all(is_label) {
            return Err(EmailError::Malformed);
        }
        Ok(Self {
            typed: text.to_owned(),
            folded: fold_email(text),
        })
    }

    /// As typed; what people see.
    pub(crate) fn typed(&self) -> &str {
        &self.typed
    }

    /// As [`Self::typed`].
    pub(crate) fn into_typed(self) -> String {
        self.typed
    }

    /// In lower case: two addresses that differ in case alone reach the same person.
    pub(crate) fn folded(&self) -> &str {
        &self.folded
    }
}

/// A full stop stands between two others (RFC 5321, §4.1.2), or no mail server takes a letter.
fn is_atom(atom: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || LOCAL_SIGNS.contains(&byte);
    !atom.is_empty() && atom.bytes().all(is_plain)
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Personal data stays out of whatever prints this.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

/// A person's name: one line of 1 to 200 characters, kept exactly as sent.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct FullName(String);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FullNameError {
    #[error("must not be empty")]
    Empty,
    #[error("may have at most {MAX_NAME} characters")]
    TooLong,
    #[error("must not begin or end with a space")]
    Padded,
    #[error("must be one line without control characters")]
    Control,
}

impl Rule for FullNameError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::Padded => "padded",
            Self::Control => "control_character",
        }
    }
}

impl FullName {
    /// Takes the name; nothing is trimmed or normalised, so what is shown is what was sent.
    pub(crate) fn parse(text: String) -> Result<Self, FullNameError> {
        // The two separators are line breaks that Unicode does not count as control characters.
        let breaks = |char: char| char.is_control() || matches!(char, '\u{2028}' | '\u{2029}');
        if text.is_empty() {
            Err(FullNameError::Empty)
        } else if text.chars().any(breaks) {
            Err(FullNameError::Control)
        } else if text.chars().count() > MAX_NAME {
            Err(FullNameError::TooLong)
        } else if text.trim().len() != text.len() {
            Err(FullNameError::Padded)
        } else {
            Ok(Self(text))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_inner(self) -> String {
        self.0
    }
}

/// Personal data stays out of whatever prints this.
impl fmt::Debug for FullName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FullName(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_kept_as_typed_and_compared_without_case() {
        let email = Email::parse("  Ada.Lovelace+x@Example.ORG ").unwrap();
        assert_eq!(email.typed(), "Ada.Lovelace+x@Example.ORG");
        assert_eq!(email.folded(), "ada.lovelace+x@example.org");
    }

    #[test]
    fn what_a_browser_or_a_mail_server_would_not_accept_is_no_address() {
        for text in [
            "",
            "x",
            "@",
            "a@",
            "@b",
            "a b@c.d",
            "a@b..c",
            "a@b.",
            "a@.b",
            "a@-b.c",
            "a@b-.c",
            "a@b@c",
            "a@b.c\r\nBcc: x@y",
            "a@b.c\0",
            "ä@b.c",
            "a@ä.c",
            "a@[127.0.0.1]",
            "\"a\"@b.c",
            "a,b@c.d",
            ".a@b.c",
            "a.@b.c",
            "a..b@c.d",
            "\ta@b.c",
        ] {
            assert_eq!(Email::parse(text), Err(EmailError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn an_address_has_the_lengths_of_the_mail_protocol() {
        let local = |count: usize| format!("{}@b.org", "a".repeat(count));
        assert!(Email::parse(&local(64)).is_ok());
        assert_eq!(Email::parse(&local(65)), Err(EmailError::TooLong));
        let domain = |count: usize| format!("a@{}.org", "b".repeat(count));
        assert!(Email::parse(&domain(63)).is_ok());
        assert_eq!(Email::parse(&domain(64)), Err(EmailError::Malformed));
        assert_eq!(Email::parse(&domain(300)), Err(EmailError::TooLong));
    }

    #[test]
    fn a_name_is_one_line_of_1_to_200_characters() {
        let verdict = |text: &str| FullName::parse(text.to_owned()).err();
        assert_eq!(verdict(&"ü".repeat(200)), None);
        assert_eq!(verdict(&"ü".repeat(201)), Some(FullNameError::TooLong));
        assert_eq!(verdict(""), Some(FullNameError::Empty));
        for text in ["a\r\nb", "a\0", "a\u{85}b", "a\u{2028}b", "\t"] {
            assert_eq!(verdict(text), Some(FullNameError::Control), "{text:?}");
        }
        for text in [" ", " a", "a ", "\u{a0}a"] {
            assert_eq!(verdict(text), Some(FullNameError::Padded), "{text:?}");
        }
    }

    #[test]
    fn composed_and_decomposed_names_stay_as_they_were_sent() {
        for text in ["Zoë", "Zoe\u{308}"] {
            assert_eq!(FullName::parse(text.to_owned()).unwrap().into_inner(), text);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_an_address_holds_no_space_control_or_second_at(text in "\\PC{0,40}@\\PC{0,40}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(email.typed().matches('@').count(), 1);
                prop_assert!(email.typed().bytes().all(|byte| byte.is_ascii_graphic()));
                let again = Email::parse(email.folded()).unwrap();
                prop_assert_eq!(again.folded(), email.folded());
            }
        }

        #[test]
        fn plain_addresses_are_addresses(text in "[a-z0-9+_-]([.]?[a-z0-9+_-]){0,31}@([a-z0-9]{1,20}\\.){1,5}[a-z]{2,10}") {
            prop_assert!(Email::parse(&text).is_ok());
        }

        #[test]
        fn a_name_that_passes_is_unchanged(text in any::<String>()) {
            if let Ok(name) = FullName::parse(text.clone()) {
                prop_assert_eq!(name.into_inner(), text);
            }
        }
    }
}
