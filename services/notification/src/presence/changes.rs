//! Who has come to this process and who has left it, until it is written down.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lyceum_contracts::ids::UserId;
use tokio::time::Instant;

/// What is not written down yet; clones share it. It grows with people, not with how often they
/// come and go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes(Arc<Mutex<Pending>>);

#[derive(Debug, Default)]
struct Pending {
    came: HashSet<UserId>,
    left: HashMap<UserId, Instant>,
}

/// What is to be written down now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) came: Vec<UserId>,
    /// They have not come back within the time they had.
    pub(super) left: Vec<UserId>,
}

impl Changes {
    /// The first stream of `user` was opened here.
    pub(crate) fn came(&self, user: UserId) {
        let mut pending = self.pending();
        // Who had not left for long enough is still written down as being here.
        if pending.left.remove(&user).is_none() {
            pending.came.insert(user);
        }
    }

    /// The last stream of `user` here has ended.
    pub(crate) fn left(&self, user: UserId, now: Instant) {
        self.pending().left.insert(user, now);
    }

    /// Takes who came, and who left at least `linger` ago.
    pub(super) fn take(&self, now: Instant, linger: Duration) -> Due {
        let mut pending = self.pending();
        let came = std::mem::take(&mut pending.came).into_iter().collect();
        let gone = |(_, left): &(&UserId, &Instant)| now.duration_since(**left) >= linger;
        let left: Vec<UserId> = pending
            .left
            .iter()
            .filter(gone)
            .map(|(id, _)| *id)
            .collect();
        for user in &left {
            pending.left.remove(user);
        }
        // What it took to hold all who left at once is not kept.
        pending.left.shrink_to_fit();
        Due { came, left }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINGER: Duration = Duration::from_secs(10);

    fn due(came: &[i64], left: &[i64]) -> Due {
        let people = |ids: &[i64]| ids.iter().map(|id| (*id).try_into().unwrap()).collect();
        Due {
            came: people(came),
            left: people(left),
        }
    }

    #[test]
    fn who_comes_back_in_time_has_neither_left_nor_come() {
        let (changes, start) = (Changes::default(), Instant::now());
        let ada = 1.try_into().unwrap();
        changes.came(ada);
        assert_eq!(changes.take(start, LINGER), due(&[1], &[]));
        for _ in 0..3 {
            changes.left(ada, start);
            assert_eq!(changes.take(start + LINGER / 2, LINGER), due(&[], &[]));
            changes.came(ada);
            assert_eq!(changes.take(start + LINGER * 2, LINGER), due(&[], &[]));
        }
        changes.left(ada, start);
        assert_eq!(changes.take(start + LINGER, LINGER), due(&[], &[1]));
        assert_eq!(changes.take(start + LINGER * 2, LINGER), due(&[], &[]));
        changes.came(ada);
        assert_eq!(changes.take(start, LINGER), due(&[1], &[]));
    }

    #[test]
    fn who_comes_and_leaves_between_two_looks_was_here() {
        let (changes, start) = (Changes::default(), Instant::now());
        let ada = 1.try_into().unwrap();
        changes.came(ada);
        changes.left(ada, start);
        changes.came(ada);
        changes.left(ada, start);
        assert_eq!(changes.take(start, LINGER), due(&[1], &[]));
        assert_eq!(changes.take(start + LINGER, LINGER), due(&[], &[1]));
    }
}
