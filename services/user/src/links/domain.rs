//! Tokens of mailed links, and how long and for whom they count.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lyceum_chassis::http::Rule;
use lyceum_contracts::event::LinkPurpose;
use lyceum_contracts::user::AccountStatus;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

/// Random bytes in a token: more than can be guessed, so a plain digest keeps it safe at rest.
const TOKEN_BYTES: usize = 32;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const WEEK: Duration = DAY.saturating_mul(7);

/// When nothing of a link can count any more: its last letter, and the longest life of a token.
pub(super) const KEPT_FOR: Duration = WEEK.saturating_mul(2);

/// The token in a letter: 32 random bytes in URL-safe base64 without padding, 43 characters.
#[derive(Debug, Clone)]
pub(crate) struct Token(SecretString);

/// The text cannot be a token of ours, so whoever sent it has lost a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the token of a mailed link, whole")]
pub(crate) struct MalformedToken;

impl Rule for MalformedToken {
    fn code(&self) -> &'static str {
        "malformed_token"
    }
}

impl Token {
    /// A new one, from the system's randomness.
    pub(super) fn generate() -> Self {
        let bytes: [u8; TOKEN_BYTES] = rand::random();
        Self(URL_SAFE_NO_PAD.encode(bytes).into())
    }

    /// Reads a token as somebody sent it; whether it was ever issued, the digest tells.
    pub(crate) fn parse(text: String) -> Result<Self, MalformedToken> {
        let text = SecretString::from(text);
        match URL_SAFE_NO_PAD.decode(text.expose_secret()) {
            Ok(bytes) if bytes.len() == TOKEN_BYTES => Ok(Self(text)),
            _ => Err(MalformedToken),
        }
    }

    /// What is kept of it.
    pub(super) fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.expose_secret()))
    }

    /// The token itself, for the letter.
    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A letter not written within this, counted from the asking, is not written at all: the sender of
/// the mail tries for some 18 hours, and may have been down before.
pub(super) const fn latest_letter(purpose: LinkPurpose) -> Duration {
    match purpose {
        // Whoever waits for it has given up, or asked again.
        LinkPurpose::ResetPassword | LinkPurpose::ConfirmEmail => DAY,
        // Nobody waits, and nobody would ask again.
        LinkPurpose::AcceptInvitation => WEEK,
    }
}

/// How long a token counts from its making, which is when its letter is written.
pub(super) const fn lifetime(purpose: LinkPurpose) -> Duration {
    match purpose {
        // ASVS 5 §6.5.5.
        LinkPurpose::ResetPassword => Duration::from_mins(10),
        // The mailbox may be another than the one that is open.
        LinkPurpose::ConfirmEmail => DAY,
        // Its reader does not wait for it.
        LinkPurpose::AcceptInvitation => WEEK,
    }
}

/// Which accounts a link of this purpose counts for: one that was disabled or deleted after its
/// letter was sent is not opened by it.
pub(super) fn counts_for(purpose: LinkPurpose, status: AccountStatus) -> bool {
    match purpose {
        LinkPurpose::ResetPassword | LinkPurpose::ConfirmEmail => status == AccountStatus::Active,
        LinkPurpose::AcceptInvitation => status == AccountStatus::Invited,
    }
}

/// How many letters of one purpose an account may ask for within [`ALLOWANCE_OVER`].
pub(super) const fn allowance(purpose: LinkPurpose) -> u8 {
    match purpose {
        // Anybody can ask in the name of somebody else (matrix-authentication-service: one).
        LinkPurpose::ResetPassword | LinkPurpose::AcceptInvitation => 1,
        // Its owner alone can ask, and may mistype; but the letters go wherever they say.
        LinkPurpose::ConfirmEmail => 3,
    }
}

/// The time [`allowance`] is for.
const ALLOWANCE_OVER: Duration = HOUR;

/// How long until the account may ask for another letter, when `asked` are the times of the newest
/// ones, newest first; `None` when it may at once.
pub(super) fn wait(
    purpose: LinkPurpose,
    asked: &[OffsetDateTime],
    now: OffsetDateTime,
) -> Option<Duration> {
    let oldest_that_counts = asked.get(usize::from(allowance(purpose)).checked_sub(1)?)?;
    let wait = *oldest_that_counts + ALLOWANCE_OVER - now;
    Duration::try_from(wait).ok().filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_256_random_bits_and_its_digest_says_nothing_of_it() {
        let (first, second) = (Token::generate(), Token::generate());
        assert_eq!(first.expose().len(), 43);
        assert_ne!(first.expose(), second.expose());
        assert_ne!(first.digest(), first.expose());
        let read = Token::parse(first.expose().to_owned()).unwrap();
        assert_eq!(read.digest(), first.digest());
        assert!(!format!("{first:?}").contains(first.expose()));
    }

    #[test]
    fn what_is_not_32_bytes_in_url_safe_base64_is_no_token() {
        let whole = Token::generate().expose().to_owned();
        for text in [
            String::new(),
            whole[1..].to_owned(),
            format!("{whole}="),
            format!("{whole}A"),
            format!(" {whole}"),
            whole.replace(whole.chars().next().unwrap(), "+"),
            "\0".to_owned(),
        ] {
            let verdict = Token::parse(text.clone());
            assert_eq!(verdict.err(), Some(MalformedToken), "{text:?}");
        }
    }

    #[test]
    fn a_letter_may_be_asked_for_when_fewer_than_allowed_are_an_hour_old() {
        let now = OffsetDateTime::from_unix_timestamp(4_000_000_000).unwrap();
        let ago = |minutes: u64| now - Duration::from_mins(minutes);
        let wait = |purpose, asked: &[u64]| {
            let asked: Vec<_> = asked.iter().map(|minutes| ago(*minutes)).collect();
            wait(purpose, &asked, now).map(|wait| wait.as_secs() / 60)
        };
        let reset = LinkPurpose::ResetPassword;
        assert_eq!(wait(reset, &[]), None);
        assert_eq!(wait(reset, &[59]), Some(1));
        assert_eq!(wait(reset, &[60]), None);
        let confirm = LinkPurpose::ConfirmEmail;
        assert_eq!(wait(confirm, &[0, 1]), None);
        assert_eq!(wait(confirm, &[0, 1, 20]), Some(40));
        assert_eq!(wait(confirm, &[0, 1, 60]), None);
    }

    #[test]
    fn nothing_of_a_link_is_forgotten_while_it_can_count() {
        for purpose in [
            LinkPurpose::ResetPassword,
            LinkPurpose::ConfirmEmail,
            LinkPurpose::AcceptInvitation,
        ] {
            assert!(latest_letter(purpose) + lifetime(purpose) <= KEPT_FOR);
            assert!(ALLOWANCE_OVER <= KEPT_FOR);
        }
    }
}
