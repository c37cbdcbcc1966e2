//! Test users with true tokens, and the tokens every service must refuse.
//!
//! Tokens are put together by hand, since a JWT library rightly refuses to make the wrong ones.
//!
//! ```
//! # use lyceum_testing::identity::TestUsers;
//! let users = TestUsers::new();
//! let user_service = users.serve(); // answers GET /.well-known/jwks.json
//! let ada = users.student(7);
//! let forged = users.token(7, lyceum_contracts::role::Role::Admin).sign_as_stranger();
//! assert_ne!(ada, forged);
//! ```

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use jsonwebtoken::crypto;
use jsonwebtoken::{Algorithm, EncodingKey};
use lyceum_contracts::role::Role;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::peer::{Answer, ScriptedPeer};

/// Where a service looks for the keys of users' tokens.
const JWKS_ROUTE: &str = "GET /.well-known/jwks.json";

/// Where a service asks whose tokens were called in.
const REVOCATIONS_ROUTE: &str = "GET /internal/revocations";

/// How long a token of the user service counts.
const LIFETIME: Duration = Duration::from_mins(15);

/// How long a token between services counts.
const SERVICE_LIFETIME: Duration = Duration::from_mins(1);

/// Issues tokens as the user service does, with a key of its own.
#[derive(Debug, Clone)]
pub struct TestUsers {
    key: SigningKey,
    key_id: String,
}

impl Default for TestUsers {
    fn default() -> Self {
        Self::new()
    }
}

impl TestUsers {
    /// A key nobody else has.
    pub fn new() -> Self {
        Self::with_key(rand::random())
    }

    /// A certain key, by its 32-byte Ed25519 seed: that of a real user service, for instance.
    pub fn with_key(seed: [u8; 32]) -> Self {
        let key = SigningKey::from_bytes(&seed);
        let key_id = thumbprint(&encode(key.verifying_key().as_bytes()));
        Self { key, key_id }
    }

    /// A token of a student.
    pub fn student(&self, user: impl Into<i64>) -> String {
        self.token(user, Role::Student).sign()
    }

    /// A token of an instructor.
    pub fn instructor(&self, user: impl Into<i64>) -> String {
        self.token(user, Role::Instructor).sign()
    }

    /// A token of an admin.
    pub fn admin(&self, user: impl Into<i64>) -> String {
        self.token(user, Role::Admin).sign()
    }

    /// A token to be changed before it is signed.
    pub fn token(&self, user: impl Into<i64>, role: Role) -> AccessToken<'_> {
        let (issued, expires) = times(LIFETIME);
        let claims = json!({
            "iss": "lyceum-user",
            "aud": "lyceum",
            "sub": user.into().to_string(),
            "role": role,
            "sid": 1,
            "ver": 1,
            "iat": issued,
            "exp": expires,
            "jti": Uuid::new_v4(),
        });
        let header = json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": self.key_id });
        AccessToken {
            users: self,
            header: object(header),
            claims: object(claims),
        }
    }

    /// The document a service verifies these tokens with.
    pub fn jwks(&self) -> Value {
        json!({ "keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": "EdDSA",
            "kid": self.key_id,
            "x": encode(self.key.verifying_key().as_bytes()),
        }] })
    }

    /// A peer that stands in for the user service: it serves the keys, and calls no token in; script
    /// the rest.
    pub fn serve(&self) -> ScriptedPeer {
        let peer = ScriptedPeer::start();
        peer.on(JWKS_ROUTE).always(Answer::json(200, &self.jwks()));
        let none = json!({ "items": [], "next": 0 });
        peer.on(REVOCATIONS_ROUTE).always(Answer::json(200, &none));
        peer
    }
}

/// An access token being put together; right in everything nobody changed.
#[derive(Debug, Clone)]
#[must_use = "it becomes a token when it is signed"]
pub struct AccessToken<'a> {
    users: &'a TestUsers,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl AccessToken<'_> {
    /// One that ended an hour ago.
    pub fn expired(self) -> Self {
        const HOUR: Duration = Duration::from_hours(1);
        let (now, _) = times(LIFETIME);
        let then = now - HOUR.as_secs();
        self.claim("exp", then)
            .claim("iat", then - LIFETIME.as_secs())
    }

    /// Sets a claim; `null` takes it away.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.claims, name, value.into());
        self
    }

    /// Sets a parameter of the header, such as `typ` or `kid`; `null` takes it away.
    pub fn parameter(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.header, name, value.into());
        self
    }

    /// The token, signed as the user service signs.
    pub fn sign(self) -> String {
        let key = self.users.key.clone();
        self.sign_with(&key)
    }

    /// Forged: the right key id, the signature of another key.
    pub fn sign_as_stranger(self) -> String {
        self.sign_with(&SigningKey::from_bytes(&rand::random()))
    }

    /// Forged: `alg: none` and no signature.
    pub fn unsigned(self) -> String {
        self.parameter("alg", "none").content() + "."
    }

    /// Forged: HMAC with the public key as the secret, which anybody can read in the JWKS.
    pub fn sign_with_public_key(self) -> String {
        let public = self.users.key.verifying_key();
        let content = self.parameter("alg", "HS256").content();
        hs256(content, public.as_bytes())
    }

    fn sign_with(self, key: &SigningKey) -> String {
        let content = self.content();
        let signature = key.sign(content.as_bytes());
        format!("{content}.{}", encode(&signature.to_bytes()))
    }

    /// Header and claims, the part a signature covers.
    fn content(&self) -> String {
        content(&self.header, &self.claims)
    }
}

/// A token by which service `issuer` calls service `audience`, signed with a shared `secret`.
pub fn service_token(issuer: &str, audience: &str, secret: &str) -> String {
    let (issued, expires) = times(SERVICE_LIFETIME);
    let claims = json!({
        "iss": issuer,
        "aud": audience,
        "iat": issued,
        "exp": expires,
        "jti": Uuid::new_v4(),
    });
    let header = json!({ "typ": "service+jwt", "alg": "HS256" });
    hs256(content(&object(header), &object(claims)), secret.as_bytes())
}

/// RFC 7638: the SHA-256 of the key's required members in order.
fn thumbprint(public: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}"#);
    encode(&Sha256::digest(members))
}

fn hs256(content: String, secret: &[u8]) -> String {
    let key = EncodingKey::from_secret(secret);
    let signature = crypto::sign(content.as_bytes(), &key, Algorithm::HS256);
    content + "." + &signature.expect("any secret signs")
}

fn content(header: &Map<String, Value>, claims: &Map<String, Value>) -> String {
    let part = |map: &Map<String, Value>| {
        let json = serde_json::to_vec(map);
        encode(&json.expect("a map becomes JSON"))
    };
    format!("{}.{}", part(header), part(claims))
}

/// Now and the end of a lifetime that begins now, in seconds since 1970.
fn times(lifetime: Duration) -> (u64, u64) {
    let now = seconds_since_1970();
    (now, now + lifetime.as_secs())
}

/// Now, as tokens tell it.
pub(crate) fn seconds_since_1970() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("the clock is past 1970").as_secs()
}

fn set(map: &mut Map<String, Value>, name: &str, value: Value) {
    if value.is_null() {
        map.remove(name);
    } else {
        map.insert(name.to_owned(), value);
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
