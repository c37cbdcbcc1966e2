//! Access tokens as the user service signs them, and the key they are checked with.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

/// Longer than any run.
const LIFETIME: Duration = Duration::from_hours(24);

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// What is published of the key.
pub(crate) fn keys() -> Value {
    let public = URL_SAFE_NO_PAD.encode(key().verifying_key().as_bytes());
    json!({"keys": [{
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "bench", "x": public,
    }]})
}

/// A token of `person`.
pub(crate) fn of(person: i64) -> Result<String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let header = json!({"typ": "at+jwt", "alg": "EdDSA", "kid": "bench"});
    let claims = json!({
        "iss": "lyceum-user", "aud": "lyceum", "sub": person.to_string(), "role": "student",
        "sid": person, "ver": 1, "iat": now.as_secs(), "exp": (now + LIFETIME).as_secs(),
        "jti": uuid::Uuid::new_v4().to_string(),
    });
    let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let content = format!("{}.{}", encode(&header), encode(&claims));
    let signature = key().sign(content.as_bytes()).to_bytes();
    Ok(format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
