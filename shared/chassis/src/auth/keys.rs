//! The public keys access tokens are verified with.
//!
//! The user service knows its own and replaces them when it begins or ceases to publish one. The
//! others fetch its JWKS when a token names a key they have not seen, refresh it in the background,
//! and keep what they have while the user service is down: people stay signed in.

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

/// By their ids.
type Keys = HashMap<String, Key>;

#[derive(Clone)]
struct Key {
    published: Jwk,
    verifies: DecodingKey,
}

/// The keys of one moment.
#[derive(Default)]
struct Known {
    keys: Keys,
    generation: u64,
}

/// The keys, wherever they come from; clones share them.
#[derive(Clone)]
pub struct UserKeys {
    known: Arc<ArcSwap<Known>>,
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
        let own = Self {
            known: Arc::default(),
            source: Source::Own,
        };
        own.replace(keys);
        own
    }

    /// From now on the process that issues the tokens verifies them with these keys and no others.
    pub fn replace(&self, keys: &JwkSet) {
        self.know(&readable(keys.keys.iter().cloned()));
    }

    /// The keys the user service publishes.
    pub fn remote(users: UserClient) -> Self {
        Self {
            known: Arc::default(),
            source: Source::Remote(users, Arc::default()),
        }
    }

    /// Grows whenever a key comes or goes: what was verified before may no longer count.
    pub(super) fn generation(&self) -> u64 {
        self.known.load().generation
    }

    /// The key with this id.
    pub(super) async fn get(&self, id: &str) -> Result<DecodingKey, KeyError> {
        if let Some(key) = self.find(id) {
            return Ok(key);
        }
        let Source::Remote(users, last_fetch) = &self.source else {
            return Err(KeyError::Unknown);
        };
        // One fetch at a time, and few of them: a flood of forged tokens asks the peer nothing.
        let mut last_fetch = last_fetch.lock().await;
        if let Some(key) = self.find(id) {
            return Ok(key);
        }
        let recent = last_fetch.is_some_and(|at| at.elapsed() < FETCH_AT_MOST_EVERY);
        if !recent {
            let fetched = self.fetch(users).await;
            match fetched {
                Ok(()) => *last_fetch = Some(Instant::now()),
                Err(error) if self.known.load().keys.is_empty() => {
                    return Err(KeyError::Unavailable(error));
                }
                Err(error) => {
                    *last_fetch = Some(Instant::now());
                    warn_kept(&error);
                }
            }
        }
        self.find(id).ok_or(KeyError::Unknown)
    }

    fn find(&self, id: &str) -> Option<DecodingKey> {
        let known = self.known.load();
        known.keys.get(id).map(|key| key.verifies.clone())
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
            let known = !self.known.load().keys.is_empty();
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
        let keys = readable(keys.filter_map(|key| serde_json::from_value(key.clone()).ok()));
        if keys.is_empty() {
            let start = Malformation::Json { line: 1, column: 1 };
            return Err(ClientError::Malformed(start));
        }
        self.know(&keys);
        Ok(())
    }

    fn know(&self, keys: &Keys) {
        self.known.rcu(|known| {
            if are_same(&known.keys, keys) {
                return Arc::clone(known);
            }
            Arc::new(Known {
                keys: keys.clone(),
                generation: known.generation + 1,
            })
        });
    }
}

impl std::fmt::Debug for UserKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<_> = self.known.load().keys.keys().cloned().collect();
        f.debug_struct("UserKeys")
            .field("ids", &ids)
            .field("generation", &self.generation())
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
fn readable(keys: impl Iterator<Item = Jwk>) -> Keys {
    keys.filter_map(|published| {
        let verifies = DecodingKey::from_jwk(&published).ok()?;
        let id = published.common.key_id.clone()?;
        let key = Key {
            published,
            verifies,
        };
        Some((id, key))
    })
    .collect()
}

fn are_same(before: &Keys, now: &Keys) -> bool {
    let stays = |(id, key): (&String, &Key)| {
        let now = now.get(id);
        now.is_some_and(|now| now.published == key.published)
    };
    before.len() == now.len() && before.iter().all(stays)
}

#[cfg(test)]
mod tests {
    use lyceum_client::{Identity, ServiceAuthSettings, UpstreamSettings};
    use lyceum_testing::identity::TestUsers;
    use lyceum_testing::peer::{Answer, ScriptedPeer};
    use serde_json::json;

    use super::*;

    fn set(issuers: &[&TestUsers]) -> JwkSet {
        let keys = issuers.iter().map(|issuer| {
            let key = issuer.jwks()["keys"][0].clone();
            serde_json::from_value(key).unwrap()
        });
        JwkSet {
            keys: keys.collect(),
        }
    }

    #[tokio::test]
    async fn own_keys_are_replaced_at_run_time_and_only_a_change_counts() {
        let (old, new) = (TestUsers::new(), TestUsers::new());
        let id = |issuer: &TestUsers| set(&[issuer]).keys[0].common.key_id.clone().unwrap();
        let keys = UserKeys::own(&set(&[&old]));
        let shared = keys.clone();
        let first = keys.generation();
        keys.replace(&set(&[&old]));
        assert_eq!(shared.generation(), first);

        keys.replace(&set(&[&old, &new]));
        let second = shared.generation();
        assert!(second > first);
        keys.replace(&set(&[&new, &old]));
        assert_eq!(shared.generation(), second);
        assert!(shared.get(&id(&old)).await.is_ok() && shared.get(&id(&new)).await.is_ok());

        keys.replace(&set(&[&new]));
        assert!(shared.generation() > second);
        assert!(matches!(
            shared.get(&id(&old)).await,
            Err(KeyError::Unknown)
        ));
        assert!(shared.get(&id(&new)).await.is_ok());
    }

    #[tokio::test]
    async fn an_answer_that_holds_no_key_signs_nobody_out() {
        let issuer = TestUsers::new();
        let peer = ScriptedPeer::start();
        peer.on("GET /.well-known/jwks.json")
            .then(Answer::json(200, &issuer.jwks()))
            .then(Answer::json(200, &json!({"keys": []})))
            .then(Answer::json(200, &json!({"status": "maintenance"})))
            .then(Answer::json(200, &issuer.jwks()))
            .then(Answer::json(200, &TestUsers::new().jwks()));
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
        let known = keys.generation();
        for _ in 0..2 {
            assert!(keys.fetch(&users).await.is_err());
            assert_eq!(keys.generation(), known);
        }
        assert!(keys.fetch(&users).await.is_ok());
        assert_eq!(keys.generation(), known);
        assert!(keys.fetch(&users).await.is_ok());
        assert!(keys.generation() > known);
        peer.assert_as_scripted();
    }
}
