//! The keys that sign access tokens. All come from one secret of the settings: the first is that
//! secret, each later one is derived from it, so that none is ever at rest.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

/// PKCS #8 envelope of an Ed25519 seed (RFC 8410 §7); the 32 bytes of the seed follow.
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// Bytes of an Ed25519 seed.
const SEED_BYTES: usize = 32;
/// Bytes of a salt: as many as the hash has (RFC 5869 §3.1).
const SALT_BYTES: usize = 32;
/// What a derived seed is for (RFC 5869 §3.2): no other use of the secret finds the same one.
const PURPOSE: &[u8] = b"lyceum access token signing key";

/// A private key, with its public half described for others.
#[derive(Debug, Clone)]
pub(crate) struct SigningKey {
    pub(super) private: EncodingKey,
    pub(super) public: Jwk,
    /// RFC 7638 thumbprint of the public half.
    pub(super) id: String,
}

impl SigningKey {
    fn from_seed(seed: &[u8]) -> Result<Self, KeyError> {
        let private = EncodingKey::from_ed_der(&[PKCS8_PREFIX.as_slice(), seed].concat());
        let mut public = Jwk::from_encoding_key(&private, Algorithm::EdDSA)?;
        let id = public.thumbprint(ThumbprintHash::SHA256)?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            private,
            public,
            id,
        })
    }
}

/// There is no key. No variant repeats a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("must be 32 bytes in base64")]
    Malformed,
    #[error("is no Ed25519 seed: {0}")]
    Unusable(#[from] jsonwebtoken::errors::Error),
    #[error("no seed can be derived: {0}")]
    Underivable(hkdf::InvalidLength),
}

/// The secret of the settings, which is the first key.
#[derive(Debug, Clone)]
pub(crate) struct MasterKey {
    seed: SecretSlice<u8>,
    pub(super) first: SigningKey,
}

impl MasterKey {
    /// Reads a seed: 32 bytes in base64.
    pub(crate) fn parse(seed: &str) -> Result<Self, KeyError> {
        let seed = STANDARD.decode(seed).map_err(|_| KeyError::Malformed)?;
        if seed.len() != SEED_BYTES {
            return Err(KeyError::Malformed);
        }
        let first = SigningKey::from_seed(&seed)?;
        Ok(Self {
            seed: seed.into(),
            first,
        })
    }

    /// The key that belongs to a salt (HKDF-SHA256, RFC 5869): always the same, and no other key
    /// says anything of it.
    pub(super) fn derive(&self, salt: &str) -> Result<SigningKey, KeyError> {
        let mut seed = [0; SEED_BYTES];
        Hkdf::<Sha256>::new(Some(salt.as_bytes()), self.seed.expose_secret())
            .expand(PURPOSE, &mut seed)
            .map_err(KeyError::Underivable)?;
        SigningKey::from_seed(&seed)
    }
}

/// A salt nobody has used, from the system's randomness. It is no secret.
pub(super) fn fresh_salt() -> String {
    let bytes: [u8; SALT_BYTES] = rand::random();
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn master() -> MasterKey {
        MasterKey::parse("bHljZXVtLWRldmVsb3BtZW50LXNpZ25pbmcta2V5ISE=").unwrap()
    }

    #[test]
    fn what_is_not_32_bytes_in_base64_is_no_key() {
        for text in ["", "short", "bHljZXVt", "not base64 !"] {
            assert!(
                matches!(MasterKey::parse(text), Err(KeyError::Malformed)),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_salt_and_a_secret_have_one_key_in_every_process() {
        let other = MasterKey::parse("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").unwrap();
        let derived = master().derive("salt").unwrap();
        assert_eq!(derived.id, master().derive("salt").unwrap().id);
        for key in [
            master().first,
            master().derive("salt2").unwrap(),
            other.derive("salt").unwrap(),
        ] {
            assert_ne!(derived.id, key.id);
        }
    }

    #[test]
    fn no_salt_comes_twice() {
        assert_ne!(fresh_salt(), fresh_salt());
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let said = format!("{:?}", master());
        for bytes in ["108, 121, 99, 101", "48, 46, 2, 1"] {
            assert!(!said.contains(bytes), "{said}");
        }
    }
}
