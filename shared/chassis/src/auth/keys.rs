//! The public keys access tokens are verified with.
//!
//! The user service knows its own. The others fetch its JWKS when a token names a key they have
//! not seen, refresh it in the background, and keep what they have while the user service is
//! down: people stay signed in.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use lyceum_client::{ClientError, Malformation, UserClient};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::token::InvalidToken;

/// How often known keys are fetched again.
const REFRESH_EVERY: Duration = Duration::from_mins(5);
/// How often tokens that name unknown keys may cause a fetch.
const FETCH_AT_MOST_EVERY: Duration = Duration::from_secs(5);

type Keys = HashMap<String, DecodingKey>;

/// The keys, wherever they come from; clones share them.
#[derive(Clone)]
pub struct UserKeys {
    keys: Arc<ArcSwap<Keys>>,
    source: Source,
}

#[derive(Clone)]
enum Source {
    /// This process issues the tokens.
    Own,
    /// The user service, by HTTP; the time of the last fetch.
    Remote(UserClient, Arc<Mutex<Option<Instant>>>),
}

/// Why a key cannot be had.
#[derive(Debug)]
pub(super) enum KeyError {
    /// Nobody issues tokens with this key.
    Unknown,
    /// No key is known yet and the user service does not answer.
    Unavailable(ClientError),
}

impl From<InvalidToken> for KeyError {
    fn from(InvalidToken: InvalidToken) -> Self {
        Self::Unknown
    }
}

impl UserKeys {
    /// The keys of the process that issues the tokens.
    pub fn own(keys: &JwkSet) -> Self {
        Self {
            keys: Arc::new(ArcSwap::from_pointee(decoding_keys(
                keys.keys.iter().cloned(),
            ))),
            source: Source::Own,
        }
    }

    /// The keys the user service publishes.
    pub fn remote(users: UserClient) -> Self {
        Self {
            keys: Arc::default(),
            source: Source::Remote(users, Arc::default()),
        }
    }

    /// The key with this id.
    pub(super) async fn get(&self, id: &str) -> Result<DecodingKey, KeyError> {
        if let Some(key) = self.keys.load().get(id) {
            return Ok(key.clone());
        }
        let Source::Remote(users, last_fetch) = &self.source else {
            return Err(KeyError::Unknown);
        };
        // One fetch at a time, and few of them: a flood of forged tokens asks the peer nothing.
        let mut last_fetch = last_fetch.lock().await;
        if let Some(key) = self.keys.load().get(id) {
            return Ok(key.clone());
        }
        let recent = last_fetch.is_some_and(|at| at.elapsed() < FETCH_AT_MOST_EVERY);
        if !recent {
            let fetched = self.fetch(users).await;
            match fetched {
                Ok(()) => *last_fetch = Some(Instant::now()),
                Err(error) if self.keys.load().is_empty() => {
                    return Err(KeyError::Unavailable(error));
                }
                Err(error) => {
                    *last_fetch = Some(Instant::now());
                    warn_kept(&error);
                }
            }
        }
        self.keys.load().get(id).cloned().ok_or(KeyError::Unknown)
    }

    /// Fetches the keys again and again until told to stop; for a background task.
    pub async fn keep_fresh(self, stop: CancellationToken) {
        let Source::Remote(users, last_fetch) = &self.source else {
            return stop.cancelled().await;
        };
        loop {
            match stop.run_until_cancelled(self.fetch(users)).await {
                Some(Ok(())) => *last_fetch.lock().await = Some(Instant::now()),
                Some(Err(error)) => warn_kept(&error),
                None => return,
            }
            let known = !self.keys.load().is_empty();
            let wait = if known {
                REFRESH_EVERY
            } else {
                FETCH_AT_MOST_EVERY
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Replaces the known keys by those published now; an answer without any leaves them.
    async fn fetch(&self, users: &UserClient) -> Result<(), ClientError> {
        let set = users.jwks().await?;
        let listed = set.get("keys").and_then(serde_json::Value::as_array);
        let keys = listed.into_iter().flatten();
        // A key of a kind this build cannot read does not spoil the others.
        let readable = keys.filter_map(|key| serde_json::from_value(key.clone()).ok());
        let keys = decoding_keys(readable);
        if keys.is_empty() {
            let start = Malformation::Json { line: 1, column: 1 };
            return Err(ClientError::Malformed(start));
        }
        self.keys.store(Arc::new(keys));
        Ok(())
    }
}

impl std::fmt::Debug for UserKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<_> = self.keys.load().keys().cloned().collect();
        f.debug_struct("UserKeys")
            .field("ids", &ids)
            .finish_non_exhaustive()
    }
}

fn warn_kept(error: &ClientError) {
    tracing::warn!(
        event = "auth.keys_not_refreshed",
        reason = error.reason(),
        "the user service gave no keys; those known, if any, are kept"
    );
}

/// Keys without an id, or that are no keys, are left out.
fn decoding_keys(keys: impl Iterator<Item = Jwk>) -> Keys {
    keys.filter_map(|jwk| {
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        Some((jwk.common.key_id?, key))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use lyceum_client::{Identity, ServiceAuthSettings, UpstreamSettings};
    use lyceum_testing::identity::TestUsers;
    use lyceum_testing::peer::{Answer, ScriptedPeer};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn an_answer_that_holds_no_key_signs_nobody_out() {
        let issuer = TestUsers::new();
        let peer = ScriptedPeer::start();
        peer.on("GET /.well-known/jwks.json")
            .then(Answer::json(200, &issuer.jwks()))
            .then(Answer::json(200, &json!({"keys": []})))
            .then(Answer::json(200, &json!({"status": "maintenance"})));
        let settings = UpstreamSettings {
            base_url: peer.url(),
            ..UpstreamSettings::default()
        };
        let secrets = ServiceAuthSettings {
            secrets: vec!["s".repeat(32).into()],
        };
        let identity = Identity::new("course", &secrets).unwrap();
        let users = UserClient::new(&settings, &identity).unwrap();
        let keys = UserKeys::remote(users.clone());

        assert!(keys.fetch(&users).await.is_ok());
        let known = format!("{keys:?}");
        for _ in 0..2 {
            assert!(keys.fetch(&users).await.is_err());
            assert_eq!(format!("{keys:?}"), known);
        }
        peer.assert_as_scripted();
    }
}
