//! The refresh token: opaque, random, and kept only as a digest.

use std::convert::Infallible;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lyceum_chassis::http::{Fields, FromFields};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::accounts::Email;

/// Random bytes in a token: more than can be guessed, so a plain digest keeps it safe at rest.
const TOKEN_BYTES: usize = 32;

/// A refresh token, on its way out or as somebody sent it.
#[derive(Debug, Clone)]
pub(crate) struct RefreshToken(SecretString);

impl RefreshToken {
    /// A new one, from the system's randomness.
    pub(crate) fn generate() -> Self {
        let bytes: [u8; TOKEN_BYTES] = rand::random();
        Self(URL_SAFE_NO_PAD.encode(bytes).into())
    }

    /// What is kept of it. Any text has a digest; that of a text we never issued is unknown.
    pub(crate) fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.expose_secret()))
    }

    /// The token itself, for the answer.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Body of `POST /auth/login`. Texts that no account can have break no rule: they are wrong.
#[derive(Debug)]
pub(crate) struct Login {
    /// `None` when the text is no address, which then has no account either.
    pub(crate) email: Option<Email>,
    pub(crate) password: SecretString,
}

impl FromFields for Login {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", |text: String| {
            Ok::<_, Infallible>(Email::parse(&text).ok())
        });
        let password = fields.required("password", |text: String| {
            Ok::<SecretString, Infallible>(text.into())
        });
        Some(Self {
            email: email?,
            password: password?,
        })
    }
}

/// Body of `POST /auth/refresh` and `POST /auth/logout`.
#[derive(Debug)]
pub(crate) struct Presented(pub(crate) RefreshToken);

impl FromFields for Presented {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields
            .required("refresh_token", |text: String| {
                Ok::<_, Infallible>(RefreshToken(text.into()))
            })
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_256_random_bits_and_its_digest_says_nothing_of_it() {
        let (first, second) = (RefreshToken::generate(), RefreshToken::generate());
        assert_eq!(URL_SAFE_NO_PAD.decode(first.expose()).unwrap().len(), 32);
        assert_ne!(first.expose(), second.expose());
        assert_ne!(first.digest(), first.expose());
        assert_eq!(
            first.digest(),
            RefreshToken(first.expose().to_owned().into()).digest()
        );
        assert!(!format!("{first:?}").contains(first.expose()));
    }
}
