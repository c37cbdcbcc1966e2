//! Who a service is to its peers: a signed token of one minute.
//!
//! JWT, HS256, header `typ: service+jwt` so that no other token of ours can stand in for it
//! (RFC 8725 §3.11). `iss` is the caller, `aud` the one service it is for. The first secret
//! signs, every listed one verifies. A secret is rotated in three rounds through all services: add
//! the next one behind the old, so that every peer knows it; put it in front; two minutes later,
//! when no token of the old one counts any more, take that away.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use http::HeaderValue;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::settings::SettingsError;

/// How long a token counts.
pub const LIFETIME: Duration = Duration::from_mins(1);
/// How far the clocks of two services may differ.
pub const LEEWAY: Duration = Duration::from_secs(30);
/// A header is made anew when half of its token's life is over.
const RENEW_AFTER: Duration = Duration::from_secs(30);
/// HS256 needs a key as long as its output (RFC 7518 §3.2).
const MIN_SECRET_BYTES: usize = 32;
const TOKEN_TYPE: &str = "service+jwt";

/// The section `service_auth`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAuthSettings {
    /// At least one, of 32 bytes or more each. The first signs; all verify.
    #[serde(serialize_with = "masked")]
    pub secrets: Vec<SecretString>,
}

fn masked<S: Serializer>(secrets: &[SecretString], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(secrets.iter().map(|_| "***"))
}

/// The name of a service, as its tokens carry it: lower-case letters and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServiceName(Box<str>);

impl ServiceName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServiceName {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if plain && (1..=32).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(TokenError::Issuer)
        }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a token does not count. For the log; the caller only hears 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a JWT with the claims a service token has.
    #[error("not a service token")]
    Unreadable,
    /// Another `typ`.
    #[error("wrong type of token")]
    Type,
    /// Another `alg`.
    #[error("wrong algorithm")]
    Algorithm,
    /// Signed with no secret of ours.
    #[error("wrong signature")]
    Signature,
    /// Meant for another service.
    #[error("wrong audience")]
    Audience,
    /// `iss` is not the name of a service.
    #[error("wrong issuer")]
    Issuer,
    /// Its minute is over.
    #[error("expired")]
    Expired,
    /// Its minute has not begun.
    #[error("not yet valid")]
    NotYetValid,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: u64,
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
    jti: String,
}

/// One service's own name and the secrets it shares with its peers. Cheap to clone.
#[derive(Clone)]
pub struct Identity(Arc<Keys>);

struct Keys {
    service: &'static str,
    signing: EncodingKey,
    verifying: Vec<DecodingKey>,
    validation: Validation,
}

impl Identity {
    /// Checks the secrets. `service` is the name peers know this service by.
    pub fn new(
        service: &'static str,
        settings: &ServiceAuthSettings,
    ) -> Result<Self, SettingsError> {
        let secrets = || {
            settings
                .secrets
                .iter()
                .map(|secret| secret.expose_secret().as_bytes())
        };
        let too_short = secrets().any(|secret| secret.len() < MIN_SECRET_BYTES);
        let Some(first) = secrets().next().filter(|_| !too_short) else {
            let rule = "hold at least one secret, of 32 bytes or more each";
            return Err(SettingsError::new("service_auth.secrets", rule));
        };
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_audience(&[service]);
        // Times are checked here, against a time that is passed in.
        validation.validate_exp = false;
        Ok(Self(Arc::new(Keys {
            service,
            signing: EncodingKey::from_secret(first),
            verifying: secrets().map(DecodingKey::from_secret).collect(),
            validation,
        })))
    }

    /// The name peers know this service by.
    pub fn service(&self) -> &'static str {
        self.0.service
    }

    /// A token for `audience`, good for a minute.
    pub fn mint(&self, audience: &str) -> String {
        self.mint_at(audience, unix_now())
    }

    fn mint_at(&self, audience: &str, now: u64) -> String {
        let claims = Claims {
            iss: self.0.service.to_owned(),
            aud: audience.to_owned(),
            iat: now,
            exp: now + LIFETIME.as_secs(),
            nbf: None,
            jti: uuid::Uuid::new_v4().simple().to_string(),
        };
        let header = Header {
            typ: Some(TOKEN_TYPE.to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        // Encoding strings and numbers with a symmetric key cannot fail; should it ever, the peer
        // answers 401 to the empty token.
        jsonwebtoken::encode(&header, &claims, &self.0.signing).unwrap_or_default()
    }

    /// Who sent `token`, provided it was meant for this service.
    pub fn verify(&self, token: &str) -> Result<ServiceName, TokenError> {
        self.verify_at(token, unix_now())
    }

    fn verify_at(&self, token: &str, now: u64) -> Result<ServiceName, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Unreadable)?;
        let right_type = header
            .typ
            .is_some_and(|typ| typ.eq_ignore_ascii_case(TOKEN_TYPE));
        if !right_type {
            return Err(TokenError::Type);
        }
        let claims = self.claims(token)?;
        let leeway = LEEWAY.as_secs();
        if now > claims.exp.saturating_add(leeway) {
            return Err(TokenError::Expired);
        }
        if claims.nbf.unwrap_or(claims.iat) > now + leeway {
            return Err(TokenError::NotYetValid);
        }
        claims.iss.parse()
    }

    fn claims(&self, token: &str) -> Result<Claims, TokenError> {
        let mut refused = TokenError::Signature;
        for key in &self.0.verifying {
            match jsonwebtoken::decode::<Claims>(token, key, &self.0.validation) {
                Ok(decoded) => return Ok(decoded.claims),
                Err(error) => refused = refusal(error.kind()),
            }
            if refused != TokenError::Signature {
                break;
            }
        }
        Err(refused)
    }
}

fn refusal(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::InvalidSignature => TokenError::Signature,
        ErrorKind::InvalidAlgorithm => TokenError::Algorithm,
        ErrorKind::InvalidAudience => TokenError::Audience,
        _ => TokenError::Unreadable,
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("service", &self.0.service)
            .finish_non_exhaustive()
    }
}

/// The `Authorization` header for one upstream, signed twice a minute rather than per call.
pub(crate) struct Credential {
    identity: Identity,
    audience: &'static str,
    current: ArcSwapOption<Minted>,
}

struct Minted {
    header: HeaderValue,
    /// Seconds since the epoch.
    at: u64,
}

impl Credential {
    pub(crate) fn new(identity: &Identity, audience: &'static str) -> Self {
        Self {
            identity: identity.clone(),
            audience,
            current: ArcSwapOption::empty(),
        }
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.header_at(unix_now())
    }

    fn header_at(&self, now: u64) -> HeaderValue {
        // A token from the future is left by a clock that was set back; peers would refuse it.
        if let Some(minted) = &*self.current.load()
            && (minted.at..minted.at + RENEW_AFTER.as_secs()).contains(&now)
        {
            return minted.header.clone();
        }
        let bearer = format!("Bearer {}", self.identity.mint_at(self.audience, now));
        let mut header =
            HeaderValue::try_from(bearer).unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
        header.set_sensitive(true);
        self.current.store(Some(Arc::new(Minted {
            header: header.clone(),
            at: now,
        })));
        header
    }
}

/// Seconds since the epoch; a clock before it reads as the epoch, when no token of ours counts.
fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
