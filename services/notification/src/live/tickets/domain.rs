//! The ticket and what is kept of it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Random bytes in a ticket: more than can be guessed, so a plain digest keeps it safe at rest.
const BYTES: usize = 32;

/// How long it counts: a page buys one and opens its stream with it at once.
pub(super) const LIFETIME: Duration = Duration::from_secs(30);

/// A new ticket: 32 bytes of the system's randomness in URL-safe base64, 43 characters.
pub(super) fn generate() -> String {
    let bytes: [u8; BYTES] = rand::random();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is kept of it, and what any text is looked up by.
pub(super) fn digest(ticket: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(ticket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_differ_and_their_digests_do_not_show_them() {
        let (one, other) = (generate(), generate());
        assert_ne!(one, other);
        assert_eq!(one.len(), 43);
        assert!(!digest(&one).contains(&one));
        assert_eq!(digest(&one), digest(&one.clone()));
        assert_ne!(digest(&one), digest(&other));
    }
}
