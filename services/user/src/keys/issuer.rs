//! Issues access tokens, and publishes the keys they are verified with.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, Header, encode};
use lyceum_chassis::auth::{AUDIENCE, Claims, ISSUER, LEEWAY, TOKEN_TYPE, UserKeys};
use time::OffsetDateTime;
use uuid::Uuid;

use super::ring::Ring;
use super::signing_key::{KeyError, MasterKey};
use crate::entity::{signing_key, user};

/// Issues access tokens; clones share the keys.
#[derive(Debug, Clone)]
pub(crate) struct Issuer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    master: MasterKey,
    ring: ArcSwap<Ring>,
    verifying: UserKeys,
    lifetime: Duration,
}

impl Issuer {
    /// Signs with the first key until [`Self::take`] knows of others.
    pub(crate) fn new(master: MasterKey, lifetime: Duration) -> Self {
        let first = JwkSet {
            keys: vec![master.first.public.clone()],
        };
        Self(Arc::new(Shared {
            ring: ArcSwap::from_pointee(Ring::new(&master)),
            verifying: UserKeys::own(&first),
            master,
            lifetime,
        }))
    }

    /// How long a token counts.
    pub(crate) fn lifetime(&self) -> Duration {
        self.0.lifetime
    }

    /// A token that says who and as what, in which session, from `now` on (RFC 9068).
    pub(crate) fn issue(
        &self,
        user: &user::Model,
        session_id: i64,
        now: OffsetDateTime,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let ring = self.0.ring.load();
        let key = ring.signing(now);
        let header = Header {
            typ: Some(TOKEN_TYPE.to_owned()),
            kid: Some(key.id.clone()),
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
            exp: (now + self.0.lifetime).unix_timestamp(),
            jti: Uuid::new_v4().to_string(),
        };
        encode(&header, &claims, &key.private)
    }

    /// The keys tokens are verified with, for everybody to read.
    pub(crate) fn public_keys(&self, now: OffsetDateTime) -> JwkSet {
        let ring = self.0.ring.load();
        ring.published(now, self.0.lifetime + LEEWAY)
    }

    /// The same keys, for this process.
    pub(crate) fn verifying_keys(&self) -> UserKeys {
        self.0.verifying.clone()
    }

    /// Goes by these rows from now on.
    pub(super) fn take(
        &self,
        rows: &[signing_key::Model],
        now: OffsetDateTime,
    ) -> Result<(), KeyError> {
        self.0.ring.store(Arc::new(Ring::of(&self.0.master, rows)?));
        self.0.verifying.replace(&self.public_keys(now));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
    use lyceum_contracts::role::Role;
    use lyceum_contracts::user::AccountStatus;

    use super::super::signing_key::tests::master;
    use super::*;

    #[test]
    fn a_token_is_verified_with_the_published_key_it_names() {
        let issuer = Issuer::new(master(), Duration::from_mins(15));
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
        let keys = issuer.public_keys(now);
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
        let issuer = Issuer::new(master(), Duration::from_secs(1));
        let json = serde_json::to_value(issuer.public_keys(OffsetDateTime::UNIX_EPOCH)).unwrap();
        let mut members: Vec<_> = json["keys"][0].as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
    }
}
