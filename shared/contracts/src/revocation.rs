//! Access tokens that stop counting before they end, as the user service tells of them.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::ids::UserId;

/// Access tokens that stopped counting before they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Revocation {
    /// Its place in the list: whoever has seen it asks for what comes after.
    pub seq: i64,
    /// Whose tokens.
    pub user_id: UserId,
    /// Which of them.
    #[serde(flatten)]
    pub tokens: RevokedTokens,
    /// When it was decided (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub revoked_at: OffsetDateTime,
    /// When the last of the tokens has ended by itself, and this may be forgotten (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// Which of a person's access tokens are called in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum RevokedTokens {
    /// Those of one session.
    OfSession {
        /// Claim `sid` of the tokens.
        session_id: i64,
    },
    /// Those issued before the account changed.
    OlderVersions {
        /// Tokens whose claim `ver` is below this.
        below_version: i64,
    },
}

/// Answer of `GET /internal/revocations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevocationPage {
    /// What was decided after the place asked about and is still of use, in order; at most 1000.
    pub items: Vec<Revocation>,
    /// The place to ask about next. Below the one asked about: the list has begun anew, and what
    /// was read of it before does not hold.
    pub next: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revocation_names_a_session_or_a_version() {
        let json = |which: &str| {
            format!(
                r#"{{"seq":3,"user_id":7,"{which}":5,"revoked_at":"2026-01-02T03:04:05Z","expires_at":"2026-01-02T04:04:35Z"}}"#
            )
        };
        for (which, tokens) in [
            ("session_id", RevokedTokens::OfSession { session_id: 5 }),
            (
                "below_version",
                RevokedTokens::OlderVersions { below_version: 5 },
            ),
        ] {
            let read: Revocation = serde_json::from_str(&json(which)).unwrap();
            assert_eq!(read.tokens, tokens);
            assert_eq!(serde_json::to_string(&read).unwrap(), json(which));
        }
        assert!(serde_json::from_str::<Revocation>(&json("device")).is_err());
    }
}
