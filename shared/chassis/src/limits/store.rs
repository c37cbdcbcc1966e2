//! What is remembered of each key: one number, for a bounded number of keys.
//!
//! `governor`'s own keyed store keeps every key it has seen until somebody sweeps it, so whoever
//! owns many addresses decides how much memory a service takes. This one has room for [`KEYS`];
//! when it is full, those go first that have used least, which is next to what a key that was never
//! seen has used. Measured: a million keys leave 1.1 MB.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;

/// Parts with a lock of their own, so that callers seldom meet.
const SHARDS: usize = 16;
/// Keys of one part: half of what a table of 4096 places takes, so that it never grows beyond that.
const KEYS_OF_SHARD: usize = 1_792;
/// Keys remembered at once, of one limit: more than a process admits within most windows.
#[cfg(test)]
const KEYS: usize = SHARDS * KEYS_OF_SHARD;

/// The digest of each key with the moment at which all of its quota is back.
type Shard = HashMap<u64, Nanos>;

/// The memory of one limit; clones share it. Keys are digests under a secret of the process: no
/// address is kept, and nobody can make two keys collide on purpose.
#[derive(Clone)]
pub(super) struct Remembered(Arc<Shards>);

struct Shards {
    secret: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

impl Default for Remembered {
    fn default() -> Self {
        Self(Arc::new(Shards {
            secret: RandomState::new(),
            shards: Default::default(),
        }))
    }
}

impl Remembered {
    /// What stands for a key here.
    pub(super) fn digest(&self, key: &impl Hash) -> u64 {
        self.0.secret.hash_one(key)
    }

    pub(super) fn forget(&self, digest: u64) {
        self.shard(digest).remove(&digest);
    }

    fn shard(&self, digest: u64) -> MutexGuard<'_, Shard> {
        let index = usize::try_from(digest % SHARDS as u64).unwrap_or(0);
        let shard = self.0.shards[index].lock();
        shard.unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for Remembered {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, digest: &u64, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut shard = self.shard(*digest);
        let (verdict, back_at) = measure(shard.get(digest).copied())?;
        if shard.len() >= KEYS_OF_SHARD && !shard.contains_key(digest) {
            make_room(&mut shard, back_at);
        }
        shard.insert(*digest, back_at);
        Ok(verdict)
    }
}

/// Forgets what is as good as new: keys that will have all of their quota back no later than one
/// that has just been seen for the first time. Failing that, the one that has used least.
fn make_room(shard: &mut Shard, of_a_new_one: Nanos) {
    shard.retain(|_, back_at| *back_at > of_a_new_one);
    if shard.len() >= KEYS_OF_SHARD {
        let least = shard.iter().min_by_key(|(_, back_at)| **back_at);
        if let Some(digest) = least.map(|(digest, _)| *digest) {
            shard.remove(&digest);
        }
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets everything through and moves the key's moment by 10.
    fn count(store: &Remembered, key: u64, now: u64) -> u64 {
        let moved = |back_at: Option<Nanos>| {
            let from = back_at.map_or(now, Nanos::as_u64).max(now);
            Ok::<_, ()>((from + 10, Nanos::new(from + 10)))
        };
        store
            .measure_and_replace(&store.digest(&key), moved)
            .unwrap()
    }

    fn len(store: &Remembered) -> usize {
        let shards = store.0.shards.iter();
        shards.map(|shard| shard.lock().unwrap().len()).sum()
    }

    #[test]
    fn a_million_keys_take_the_memory_of_those_there_is_room_for() {
        let mut store = None;
        let measured = allocation_counter::measure(|| {
            let filled = Remembered::default();
            for key in 0..1_000_000 {
                count(&filled, key, key);
            }
            store = Some(filled);
        });
        assert!(len(&store.unwrap()) <= KEYS);
        assert!(measured.bytes_current < 1_150_000, "{measured:?}");
        assert!(measured.bytes_max < 1_200_000, "{measured:?}");
    }

    #[test]
    fn who_has_used_much_is_remembered_while_others_come_and_go() {
        let store = Remembered::default();
        for used in 1..=30 {
            assert_eq!(count(&store, 0, 0), used * 10);
        }
        for key in 1..200_000 {
            count(&store, key, 0);
        }
        assert_eq!(count(&store, 0, 0), 310);
    }

    #[test]
    fn a_full_store_of_keys_that_have_used_as_much_lets_one_go_for_each_that_comes() {
        let store = Remembered::default();
        for key in 0..200_000 {
            count(&store, key, 0);
            count(&store, key, 0);
        }
        assert!(len(&store) <= KEYS);
        assert!(len(&store) > KEYS * 9 / 10);
    }
}
