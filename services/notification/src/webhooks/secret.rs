//! What messages are signed with, and their signatures. Pure but for the randomness.
//!
//! A secret is kept as it is, because signing takes the secret itself and no digest of it. Whoever
//! reads the database reads every message too, and a key to encrypt it with would lie beside the
//! database's own password. It is shown once, and `Debug` never shows it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::DeriveValueType;
use sha2::Sha256;
use time::OffsetDateTime;

/// What every secret begins with (Standard Webhooks).
const PREFIX: &str = "whsec_";
/// Random bytes in a secret; the Standard Webhooks ask for 24 to 64.
const BYTES: usize = 32;

/// The secret of one receiver.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub(crate) struct SigningSecret(String);

impl SigningSecret {
    /// A new one, of the system's randomness.
    pub(super) fn generate() -> Self {
        let bytes: [u8; BYTES] = rand::random();
        Self(format!("{PREFIX}{}", STANDARD.encode(bytes)))
    }

    /// For the one who has just asked for it.
    pub(super) fn reveal(self) -> String {
        self.0
    }

    fn sign(&self, content: &str) -> Option<String> {
        let key = STANDARD.decode(self.0.strip_prefix(PREFIX)?).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(content.as_bytes());
        Some(format!(
            "v1,{}",
            STANDARD.encode(mac.finalize().into_bytes())
        ))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The value of `webhook-signature`: one signature per secret. `None` when a secret was altered.
pub(super) fn signatures<'a>(
    secrets: impl IntoIterator<Item = &'a SigningSecret>,
    message_id: &str,
    sent_at: OffsetDateTime,
    body: &str,
) -> Option<String> {
    let content = format!("{message_id}.{}.{body}", sent_at.unix_timestamp());
    let signed: Option<Vec<_>> = secrets
        .into_iter()
        .map(|secret| secret.sign(&content))
        .collect();
    signed.map(|signed| signed.join(" "))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_signature_is_the_one_the_standard_gives() {
        // The example of the specification's libraries.
        let secret = SigningSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let signed = signatures(
            [&secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            datetime!(2021-02-25 15:02:10 UTC),
            r#"{"test": 2432232314}"#,
        );
        let right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed.as_deref(), Some(right));
    }

    #[test]
    fn secrets_differ_and_are_not_shown() {
        let (one, other) = (SigningSecret::generate(), SigningSecret::generate());
        assert_ne!(one, other);
        assert_eq!(format!("{one:?}"), "***");
        assert_eq!(one.reveal().len(), PREFIX.len() + 44);
    }

    #[test]
    fn nothing_is_signed_with_what_is_no_secret() {
        let altered = SigningSecret("whsec_?".to_owned());
        let now = datetime!(2026-01-01 00:00 UTC);
        assert_eq!(signatures([&altered], "msg_1", now, "{}"), None);
    }
}
