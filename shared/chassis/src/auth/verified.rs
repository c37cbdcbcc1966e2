//! Access tokens that were verified a moment ago, so that their signatures are not checked again.
//!
//! A token is known by the SHA-256 of all of it. A forged one that is to pass for a known one needs
//! the same 256 bits, a second preimage, which is no easier than forging what this platform rests
//! on anyway; a quicker hash of 64 bits would turn that into a matter of luck. Tokens themselves
//! are not kept: whoever reads this process's memory finds none here.
//!
//! Only what has been verified is entered. Its own end is looked at with every hit, and so are, in
//! the caller, the revocations. When the keys change, all that was verified with those of before
//! is verified anew.
//!
//! Tokens between services are not kept: an HMAC is cheap beside a signature
//! (`cargo bench -p lyceum-chassis` compares them).

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::CurrentUser;
use super::metrics::Lookups;
use super::token::LEEWAY;

/// What stands for a token.
pub(super) type TokenDigest = [u8; 32];

/// The tokens last seen; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    people: Cache<TokenDigest, Entry>,
    lookups: Lookups,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    person: CurrentUser,
    /// Of the keys it was verified with.
    generation: u64,
}

impl Verified {
    /// Remembers up to `capacity` tokens, those not used for the longest making room; 0 remembers
    /// none. Make it after telemetry has been set up.
    pub(super) fn new(capacity: u64) -> Self {
        let people = Cache::builder()
            .max_capacity(capacity)
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self {
            people,
            lookups: Lookups::new(),
        }
    }

    pub(super) fn digest(token: &str) -> TokenDigest {
        Sha256::digest(token).into()
    }

    /// Who came with this token before, if it counts by itself at `now` and was verified with keys
    /// of this generation.
    pub(super) fn get(
        &self,
        digest: &TokenDigest,
        generation: u64,
        now: OffsetDateTime,
    ) -> Option<CurrentUser> {
        let known = self.people.get(digest)?;
        if known.generation != generation || has_ended(&known.person, now) {
            return None;
        }
        self.lookups.hit();
        Some(known.person)
    }

    /// Remembers a token that has just been verified.
    pub(super) fn insert(&self, digest: TokenDigest, generation: u64, person: CurrentUser) {
        self.lookups.miss();
        self.people.insert(digest, Entry { person, generation });
    }
}

/// By the same rule as when it was verified: to the second, with the same leeway.
fn has_ended(person: &CurrentUser, now: OffsetDateTime) -> bool {
    let end = person.expires_at.unix_timestamp();
    end.saturating_add_unsigned(LEEWAY.as_secs()) < now.unix_timestamp()
}

#[cfg(test)]
mod tests {
    use lyceum_contracts::role::Role;
    use time::Duration;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

    fn person(expires_at: OffsetDateTime) -> CurrentUser {
        CurrentUser {
            id: 7.try_into().unwrap(),
            role: Role::Student,
            session_id: 5,
            token_version: 1,
            expires_at,
        }
    }

    #[test]
    fn a_token_is_known_until_it_ends_and_no_other_is() {
        let verified = Verified::new(10);
        let digest = Verified::digest("a.b.c");
        let ada = person(NOW);
        verified.insert(digest, 1, ada);
        let get = |digest, after| verified.get(&digest, 1, NOW + Duration::seconds(after));
        assert_eq!(get(digest, -900), Some(ada));
        assert_eq!(get(digest, 30), Some(ada));
        assert_eq!(get(digest, 31), None);
        assert_eq!(get(Verified::digest("a.b.d"), 0), None);
    }

    #[test]
    fn with_other_keys_a_token_is_verified_anew() {
        let verified = Verified::new(10);
        let digest = Verified::digest("a.b.c");
        verified.insert(digest, 1, person(NOW));
        assert_eq!(verified.get(&digest, 2, NOW), None);
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        for capacity in [0, 3] {
            let verified = Verified::new(capacity);
            for token in 0..100 {
                let digest = Verified::digest(&token.to_string());
                verified.insert(digest, 1, person(NOW));
            }
            verified.people.run_pending_tasks();
            assert_eq!(verified.people.entry_count(), capacity);
            let last = verified.get(&Verified::digest("99"), 1, NOW);
            assert_eq!(last.is_some(), capacity > 0);
        }
    }
}
