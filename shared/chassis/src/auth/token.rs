//! The access token of a person: its claims, and the rules it must obey.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::CurrentUser;

/// `iss` of every access token.
pub const ISSUER: &str = "lyceum-user";
/// `aud` of every access token.
pub const AUDIENCE: &str = "lyceum";
/// `typ` in the header (RFC 9068): an id or refresh token cannot pass for an access token.
pub const TOKEN_TYPE: &str = "at+jwt";

/// What two clocks may differ by: for so long a token counts beyond its end.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// What an access token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// Always [`ISSUER`].
    pub iss: String,
    /// Always [`AUDIENCE`].
    pub aud: String,
    /// The person's id, as a string (RFC 7519).
    pub sub: String,
    /// What the person may be.
    pub role: Role,
    /// The session it was issued in.
    pub sid: i64,
    /// How often the person's tokens had been called in when it was issued.
    pub ver: i64,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// Unique per token.
    pub jti: String,
}

/// The token is not one to trust. One answer for every reason: nobody learns by trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InvalidToken;

/// The `kid` in the header of a token that could be an access token at all.
pub(super) fn key_id(header: Header) -> Result<String, InvalidToken> {
    let right_kind = header.alg == Algorithm::EdDSA
        && header
            .typ
            .as_deref()
            .is_some_and(|typ| typ.eq_ignore_ascii_case(TOKEN_TYPE));
    if !right_kind {
        return Err(InvalidToken);
    }
    header.kid.ok_or(InvalidToken)
}

/// Checks signature and claims with the key that `key_id` named.
pub(super) fn verify(token: &str, key: &DecodingKey) -> Result<CurrentUser, InvalidToken> {
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.set_issuer(&[ISSUER]);
    rules.set_audience(&[AUDIENCE]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    rules.validate_nbf = true;
    rules.leeway = LEEWAY.as_secs();
    let claims = decode::<Claims>(token, key, &rules)
        .map_err(|_| InvalidToken)?
        .claims;
    let id: UserId = claims.sub.parse().map_err(|_| InvalidToken)?;
    let expires_at = OffsetDateTime::from_unix_timestamp(claims.exp).map_err(|_| InvalidToken)?;
    Ok(CurrentUser {
        id,
        role: claims.role,
        session_id: claims.sid,
        token_version: claims.ver,
        expires_at,
    })
}
