//! Issues access tokens, and publishes the key they are verified with.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use lyceum_chassis::auth::{AUDIENCE, Claims, ISSUER, TOKEN_TYPE};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::entity::user;

/// PKCS #8 envelope of an Ed25519 seed (RFC 8410 §7); the 32 bytes of the seed follow.
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// Bytes of an Ed25519 seed.
const SEED_BYTES: usize = 32;

/// The private key, with its public half described for others.
#[derive(Debug, Clone)]
pub(crate) struct SigningKey {
    private: EncodingKey,
    public: Jwk,
    id: String,
}

/// The setting holds no key. Neither variant repeats it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("must be 32 bytes in base64")]
    Malformed,
    #[error("is no Ed25519 seed: {0}")]
    Unusable(#[from] jsonwebtoken::errors::Error),
}

impl SigningKey {
    /// Reads a seed: 32 bytes in base64.
    pub(crate) fn parse(seed: &str) -> Result<Self, KeyError> {
        let seed = STANDARD.decode(seed).map_err(|_| KeyError::Malformed)?;
        if seed.len() != SEED_BYTES {
            return Err(KeyError::Malformed);
        }
        let private = EncodingKey::from_ed_der(&[PKCS8_PREFIX.as_slice(), &seed].concat());
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

/// Issues access tokens; clones share the key.
#[derive(Debug, Clone)]
pub(crate) struct Issuer {
    key: Arc<SigningKey>,
    lifetime: Duration,
}

impl Issuer {
    pub(crate) fn new(key: SigningKey, lifetime: Duration) -> Self {
        Self {
            key: Arc::new(key),
            lifetime,
        }
    }

    /// How long a token counts.
    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A token that says who and as what, in which session, from `now` on (RFC 9068).
    pub(crate) fn issue(
        &self,
        user: &user::Model,
        session_id: i64,
        now: OffsetDateTime,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let header = Header {
            typ: Some(TOKEN_TYPE.to_owned()),
            kid: Some(self.key.id.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user.id.to_string(),
            role: user.role,
            sid: session_id,
            ver: user.token_version,
            iat: now.unix_timestamp(),
            exp: (now + self.lifetime).unix_timestamp(),
            jti: Uuid::new_v4().to_string(),
        };
        encode(&header, &claims, &self.key.private)
    }

    /// The keys tokens are verified with, for everybody to read.
    pub(crate) fn public_keys(&self) -> JwkSet {
        JwkSet {
            keys: vec![self.key.public.clone()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
    use lyceum_contracts::role::Role;
    use lyceum_contracts::user::AccountStatus;

    const SEED: &str = "bHljZXVtLWRldmVsb3BtZW50LXNpZ25pbmcta2V5ISE=";

    #[test]
    fn a_token_is_verified_with_the_published_key_it_names() {
        let issuer = Issuer::new(SigningKey::parse(SEED).unwrap(), Duration::from_mins(15));
        let now = OffsetDateTime::from_unix_timestamp(4_000_000_000).unwrap();
        let user = user::Model {
            id: 7.try_into().unwrap(),
            email: String::new(),
            email_folded: String::new(),
            full_name: String::new(),
            full_name_folded: String::new(),
            password_hash: String::new(),
            role: Role::Instructor,
            version: 3,
            created_at: now,
            updated_at: now,
            status: AccountStatus::Active,
            token_version: 2,
            deleted_at: None,
        };
        let token = issuer.issue(&user, 5, now).unwrap();

        let header = decode_header(&token).unwrap();
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        let keys = issuer.public_keys();
        let key = keys.find(&header.kid.unwrap()).unwrap();
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        let key = DecodingKey::from_jwk(key).unwrap();
        let claims = decode::<Claims>(&token, &key, &rules).unwrap().claims;
        assert_eq!((claims.sub.as_str(), claims.role), ("7", Role::Instructor));
        assert_eq!((claims.sid, claims.ver), (5, 2));
        assert_eq!((claims.iat, claims.exp), (4_000_000_000, 4_000_000_900));
    }

    #[test]
    fn the_published_key_holds_nothing_private() {
        let issuer = Issuer::new(SigningKey::parse(SEED).unwrap(), Duration::from_secs(1));
        let json = serde_json::to_value(issuer.public_keys()).unwrap();
        let mut members: Vec<_> = json["keys"][0].as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
        assert!(
            !format!("{issuer:?}").contains("48, 46, 2, 1"),
            "debug output hides the key"
        );
    }

    #[test]
    fn what_is_not_32_bytes_in_base64_is_no_key() {
        for text in ["", "short", "bHljZXVt", "not base64 !"] {
            assert!(
                matches!(SigningKey::parse(text), Err(KeyError::Malformed)),
                "{text:?}"
            );
        }
    }
}
