//! Hashes and compares passwords, off the async threads and a bounded number at a time.
//!
//! One hash takes 19 MiB and a core for some 20 ms (argon2id, m = 19 MiB, t = 2, p = 1: OWASP's
//! first choice, and within ASVS 5 appendix C). On an async thread that would stop every other
//! request of the worker; without a bound, a burst of logins would take all cores and memory.

use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use futures_util::{StreamExt, TryStreamExt, stream};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::{Instrument, info_span};

use super::NewPassword;
use crate::settings::PasswordSettings;

/// Stands in for the salt of an account that does not exist.
const DECOY_SALT: &[u8] = b"no such account.";

/// Hashes and compares; clones share the bound.
#[derive(Debug, Clone)]
pub(crate) struct Hasher {
    /// Callers at work or waiting.
    places: Arc<Semaphore>,
    /// Callers at work.
    slots: Arc<Semaphore>,
    /// How many of them there can be.
    at_once: usize,
}

/// Why there is no hash and no verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashError {
    /// All waiting places are taken.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// The stored hash cannot be read, or the system gives no randomness.
    #[error("hashing failed: {0}")]
    Failed(#[from] password_hash::Error),
    /// The blocking task panicked or its runtime is shutting down.
    #[error("hashing did not end: {0}")]
    Lost(#[from] tokio::task::JoinError),
}

impl Hasher {
    pub(crate) fn new(settings: &PasswordSettings) -> Self {
        let slots = match settings.concurrency {
            0 => available_parallelism().map_or(1, std::num::NonZero::get),
            slots => slots,
        };
        Self {
            places: Arc::new(Semaphore::new(slots + settings.queue)),
            slots: Arc::new(Semaphore::new(slots)),
            at_once: slots,
        }
    }

    /// The hash to keep, as a PHC string with a salt of its own.
    pub(crate) async fn hash(&self, password: NewPassword) -> Result<String, HashError> {
        let password = password.into_inner();
        let work = move || {
            let hash = argon2().hash_password(password.expose_secret().as_bytes())?;
            Ok(hash.to_string())
        };
        self.run(work).instrument(info_span!("password.hash")).await
    }

    /// The hashes of many, in their order. No more of them queue than can be at work, so that
    /// between any two there is a turn for everybody else.
    pub(crate) async fn hash_all(
        &self,
        passwords: Vec<NewPassword>,
    ) -> Result<Vec<String>, HashError> {
        let hashes = passwords.into_iter().map(|password| self.hash(password));
        let hashes = stream::iter(hashes).buffered(self.at_once);
        hashes.try_collect().await
    }

    /// Whether `candidate` belongs to the `stored` hash.
    ///
    /// Without a hash the answer is no and takes as long, so that nobody learns from the time
    /// which addresses have an account.
    pub(crate) async fn verify(
        &self,
        candidate: SecretString,
        stored: Option<String>,
    ) -> Result<bool, HashError> {
        let work = move || {
            let candidate = candidate.expose_secret().as_bytes();
            let Some(stored) = stored else {
                let _decoy: PasswordHash =
                    argon2().hash_password_with_salt(candidate, DECOY_SALT)?;
                return Ok(false);
            };
            match argon2().verify_password(candidate, stored.as_str()) {
                Ok(()) => Ok(true),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(error.into()),
            }
        };
        self.run(work)
            .instrument(info_span!("password.verify"))
            .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| HashError::Busy)?;
        // Never closed; a caller that goes away while waiting gives its place back.
        let slot = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .map_err(|_| HashError::Busy)?;
        spawn_blocking(move || {
            // Held here, not by the caller: work that has begun cannot be called off.
            let _held = (place, slot);
            work()
        })
        .await?
    }
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher(concurrency: usize, queue: usize) -> Hasher {
        Hasher::new(&PasswordSettings { concurrency, queue })
    }

    fn password(text: &str) -> NewPassword {
        NewPassword::parse(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn a_hash_names_its_parameters_and_knows_its_password_alone() {
        let hasher = hasher(1, 1);
        let hash = hasher.hash(password("zfHq2w!x")).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(
            hasher
                .verify("zfHq2w!x".into(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(!hasher.verify("zfHq2w!X".into(), Some(hash)).await.unwrap());
        assert!(!hasher.verify("zfHq2w!x".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn equal_passwords_have_different_hashes() {
        let hasher = hasher(1, 1);
        let (first, second) = (password("zfHq2w!x"), password("zfHq2w!x"));
        assert_ne!(
            hasher.hash(first).await.unwrap(),
            hasher.hash(second).await.unwrap()
        );
    }

    #[tokio::test]
    async fn many_are_hashed_in_their_order_however_few_may_wait() {
        let hasher = hasher(2, 0);
        let texts: Vec<String> = (0..5).map(|index| format!("zfHq2w!x{index}")).collect();
        let passwords = texts.iter().map(|text| password(text)).collect();
        let hashes = hasher.hash_all(passwords).await.unwrap();
        assert_eq!(hashes.len(), texts.len());
        for (text, hash) in texts.into_iter().zip(hashes) {
            assert!(hasher.verify(text.into(), Some(hash)).await.unwrap());
        }
    }

    #[tokio::test]
    async fn nothing_is_cut_off_at_72_bytes() {
        let hasher = hasher(1, 1);
        let long = "horse ".repeat(20);
        let hash = hasher.hash(password(&long)).await.unwrap();
        assert!(!hasher.verify(long[..72].into(), Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn who_finds_no_waiting_place_is_refused_at_once() {
        let hasher = hasher(1, 0);
        let held = hasher.places.clone().try_acquire_owned().unwrap();
        let refused = hasher.verify("zfHq2w!x".into(), None).await;
        assert!(matches!(refused, Err(HashError::Busy)), "{refused:?}");
        drop(held);
        assert!(!hasher.verify("zfHq2w!x".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_stored_hash_that_cannot_be_read_is_an_error_and_not_a_no() {
        let refused = hasher(1, 0)
            .verify("zfHq2w!x".into(), Some("plain".to_owned()))
            .await;
        assert!(matches!(refused, Err(HashError::Failed(_))), "{refused:?}");
    }
}
