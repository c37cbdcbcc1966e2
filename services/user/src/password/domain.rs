//! The rules for a new password.
//!
//! Length and being unknown to attackers are all that counts: no classes of characters are asked
//! for and nothing is cut off or normalised (ASVS 5 §6.2). "Common" is membership of the 100 000
//! most frequent passwords of public breaches, as the crate `passwords` (MIT) ships them; an
//! estimate of strength such as zxcvbn's would also refuse long passphrases that no list holds.
//!
//! The crate does not say so, but its list is the one the UK's National Cyber Security Centre drew
//! from Have I Been Pwned in 2019, as a stretch of its rarest entries shows: 99 838 of them, 47 324
//! long enough to be chosen here; ASVS 5 §6.2.4 asks for 3000. It lies sorted in the binary, so there is nothing to build at the
//! start, and a search takes 17 comparisons whatever is sent: nothing beside the hash that follows.

use ::passwords::analyzer::is_common_password;
use lyceum_chassis::http::Rule;
use secrecy::{ExposeSecret, SecretString};

/// Fewest characters (ASVS 5 §6.2.1).
const MIN_CHARS: usize = 8;
/// Most characters: more than the 64 that ASVS 5 §6.2.9 asks for, and still cheap to hash.
const MAX_CHARS: usize = 128;

/// A password somebody may choose.
#[derive(Debug, Clone)]
pub(crate) struct NewPassword(SecretString);

/// Why a password cannot be chosen. No variant holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error("must have at least {MIN_CHARS} characters")]
    TooShort,
    #[error("may have at most {MAX_CHARS} characters")]
    TooLong,
    #[error("is one of the 100 000 most common passwords")]
    Common,
}

impl Rule for PasswordError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::Common => "too_common",
        }
    }
}

impl NewPassword {
    /// Takes the password exactly as received.
    pub(crate) fn parse(password: String) -> Result<Self, PasswordError> {
        let password = SecretString::from(password);
        let text = password.expose_secret();
        let chars = text.chars().count();
        if chars < MIN_CHARS {
            return Err(PasswordError::TooShort);
        }
        if chars > MAX_CHARS {
            return Err(PasswordError::TooLong);
        }
        // A capital here and there is the first thing an attacker tries.
        if is_common_password(text) || is_common_password(text.to_lowercase()) {
            return Err(PasswordError::Common);
        }
        Ok(Self(password))
    }

    /// The password itself, for the hasher.
    pub(super) fn into_inner(self) -> SecretString {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn verdict(password: &str) -> Option<PasswordError> {
        NewPassword::parse(password.to_owned()).err()
    }

    #[test]
    fn length_is_counted_in_characters_not_bytes() {
        assert_eq!(verdict("zfHq2w!"), Some(PasswordError::TooShort));
        assert_eq!(verdict("zfHq2w!x"), None);
        assert_eq!(verdict(&"ü".repeat(7)), Some(PasswordError::TooShort));
        assert_eq!(verdict(&"é🐎".repeat(64)), None);
        assert_eq!(
            verdict(&format!("{}x", "é🐎".repeat(64))),
            Some(PasswordError::TooLong)
        );
    }

    #[test]
    fn spaces_and_emoji_are_characters_like_any_other() {
        assert_eq!(verdict(&format!("{}🐎", " ".repeat(63))), None);
        assert_eq!(verdict("correct horse battery staple"), None);
    }

    #[test]
    fn a_common_password_is_refused_in_any_capitals() {
        for password in [
            "password1",
            "PassWord1",
            "12345678",
            "QWERTYUIOP",
            "iloveyou",
        ] {
            assert_eq!(verdict(password), Some(PasswordError::Common), "{password}");
        }
    }

    #[test]
    fn the_list_reaches_far_beyond_what_people_think_of() {
        // From its last fifth.
        for password in ["mc9Ad9w2ux", "linkedinlinkedin", "greentree1"] {
            assert_eq!(verdict(password), Some(PasswordError::Common), "{password}");
        }
    }

    #[test]
    fn debug_output_does_not_show_it() {
        let password = NewPassword::parse("zfHq2w!x".to_owned()).unwrap();
        assert!(!format!("{password:?}").contains("zfHq"));
    }

    proptest! {
        #[test]
        fn what_passes_has_8_to_128_characters_and_is_unchanged(text in ".{0,140}") {
            if let Ok(password) = NewPassword::parse(text.clone()) {
                prop_assert!((8..=128).contains(&text.chars().count()));
                let kept = password.into_inner();
                prop_assert_eq!(kept.expose_secret(), text.as_str());
            }
        }
    }
}
