//! What must be true of all letters once each has come to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use lyceum_contracts::delivery::{Delivery, DeliveryState};
use lyceum_testing::smtp::Taken;

use super::moods::{Moods, is_unsaid};
use super::replica::Legacy;

/// One time that a server took a letter.
struct Copy {
    taken: Taken,
    /// Whether the process that sent it was killed before it had written that down.
    unwritten: bool,
}

impl Copy {
    /// Whether nobody could know of it, so that the letter rightly came again.
    fn is_in_doubt(&self) -> bool {
        is_unsaid(&self.taken.manners) || self.unwritten
    }
}

/// What became of the letters, in numbers.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// Letters the servers took, copies included.
    pub(super) taken: usize,
    /// Copies that came because the server did not say that it had taken the one before.
    pub(super) after_silence: usize,
    /// Copies that came because a process was killed before it had written the one before down.
    pub(super) after_kill: usize,
    /// Letters that were refused for good.
    pub(super) dead: usize,
}

impl Account {
    /// Settles it, of all `letters` to everybody in `addresses`, and of those `listed` as dead.
    pub(super) fn settle(
        letters: &[Delivery],
        listed: &[Delivery],
        addresses: &BTreeMap<i64, String>,
        legacies: &[Legacy],
        moods: &Moods,
    ) -> Self {
        let people: BTreeSet<_> = letters.iter().map(|letter| letter.user_id.get()).collect();
        assert_eq!(letters.len(), people.len(), "one letter for each of them");
        assert!(people.iter().eq(addresses.keys()), "a letter for everybody");
        let mut account = Self::default();
        let mut copies = copies(addresses, legacies);
        let mut dead = Vec::new();
        for letter in letters {
            let id = letter.user_id.get();
            let copies = copies.remove(&id).unwrap_or_default();
            if let Some(code) = moods.refused_for_good(&addresses[&id]) {
                assert_eq!(letter.state, DeliveryState::Dead, "{letter:?}");
                assert_eq!(letter.error, Some(format!("smtp_{code}")), "{letter:?}");
                assert!(letter.attempts >= 1, "{letter:?}");
                assert!(copies.is_empty(), "{letter:?}");
                dead.push(letter.clone());
                continue;
            }
            assert_eq!(letter.state, DeliveryState::Sent, "{letter:?}");
            account.count(letter, &copies);
        }
        assert_eq!(copies.len(), 0, "nobody else was written to");
        assert_eq!(listed, dead, "all dead letters are listed, and no other");
        account.dead = dead.len();
        account
    }

    /// Counts the copies of a letter that was sent, in the order in which they were taken.
    fn count(&mut self, letter: &Delivery, copies: &[Copy]) {
        assert!(!copies.is_empty(), "never taken: {letter:?}");
        for copy in copies {
            assert_eq!(copy.taken.message_id(), letter.message_id, "{letter:?}");
        }
        self.taken += copies.len();
        let (_, before) = copies.split_last().unwrap();
        for copy in before {
            assert!(copy.is_in_doubt(), "sent again without need: {letter:?}");
            if is_unsaid(&copy.taken.manners) {
                self.after_silence += 1;
            } else {
                self.after_kill += 1;
            }
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            taken,
            after_silence,
            after_kill,
            dead,
        } = self;
        write!(
            f,
            "{taken} letters taken, of them again {after_silence} after a silence and {after_kill} \
             after a kill; {dead} dead"
        )
    }
}

/// What the servers took, by who it was to, each in the order in which it was taken.
fn copies(addresses: &BTreeMap<i64, String>, legacies: &[Legacy]) -> BTreeMap<i64, Vec<Copy>> {
    let ids: BTreeMap<_, _> = addresses.iter().map(|(id, to)| (to, *id)).collect();
    let mut copies = BTreeMap::<i64, Vec<Copy>>::new();
    for legacy in legacies {
        for taken in legacy.server.taken() {
            let id = ids[&taken.recipient];
            copies.entry(id).or_default().push(Copy {
                taken,
                unwritten: legacy.open.contains(&id),
            });
        }
    }
    for copies in copies.values_mut() {
        copies.sort_unstable_by_key(|copy| copy.taken.at);
    }
    copies
}
