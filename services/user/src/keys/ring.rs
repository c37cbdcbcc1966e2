//! Which key signs when, and which ones are published: decided by the clock alone, so that all
//! processes that know the same rows decide alike.

use std::iter::once;
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use time::OffsetDateTime;

use super::signing_key::{KeyError, MasterKey, SigningKey};
use crate::entity::signing_key;

/// The keys, oldest first.
#[derive(Debug)]
pub(super) struct Ring {
    first: SigningKey,
    later: Vec<Turn>,
}

/// A key made by a rotation.
#[derive(Debug)]
pub(super) struct Turn {
    /// When it takes over from the one before.
    pub(super) from: OffsetDateTime,
    pub(super) key: SigningKey,
}

impl Ring {
    /// The first key, as long as no rotation is known of.
    pub(super) fn new(master: &MasterKey) -> Self {
        Self {
            first: master.first.clone(),
            later: Vec::new(),
        }
    }

    /// The keys of these rows. Those made under another secret are none of ours.
    pub(super) fn of(master: &MasterKey, rows: &[signing_key::Model]) -> Result<Self, KeyError> {
        let mut ring = Self::new(master);
        for row in rows {
            let key = master.derive(&row.salt)?;
            if key.id == row.kid {
                let from = row.active_from;
                ring.later.push(Turn { from, key });
            }
        }
        ring.later.sort_by_key(|turn| turn.from);
        Ok(ring)
    }

    /// The key that signs.
    pub(super) fn signing(&self, now: OffsetDateTime) -> &SigningKey {
        let begun = self.later.iter().rfind(|turn| turn.from <= now);
        begun.map_or(&self.first, |turn| &turn.key)
    }

    /// The key that was made last, whether it signs yet or not.
    pub(super) fn newest(&self) -> &SigningKey {
        self.later.last().map_or(&self.first, |turn| &turn.key)
    }

    /// The key that is published and waits for its time.
    pub(super) fn waiting(&self, now: OffsetDateTime) -> Option<&Turn> {
        self.later.last().filter(|turn| turn.from > now)
    }

    /// The public halves of the keys whose tokens may still count: of all that have no successor,
    /// or had none `life` ago, as long as a token lives.
    pub(super) fn published(&self, now: OffsetDateTime, life: Duration) -> JwkSet {
        let keys = self.with_successors();
        let published = keys.filter(|(_, successor)| !has_ended(*successor, now, life));
        JwkSet {
            keys: published.map(|(key, _)| key.public.clone()).collect(),
        }
    }

    /// The ids of the others.
    pub(super) fn ended(&self, now: OffsetDateTime, life: Duration) -> Vec<String> {
        let keys = self.with_successors();
        let ended = keys.filter(|(_, successor)| has_ended(*successor, now, life));
        ended.map(|(key, _)| key.id.clone()).collect()
    }

    /// Each key, and when the next one took or takes over.
    fn with_successors(&self) -> impl Iterator<Item = (&SigningKey, Option<OffsetDateTime>)> {
        let keys = once(&self.first).chain(self.later.iter().map(|turn| &turn.key));
        let successors = self.later.iter().map(|turn| Some(turn.from));
        keys.zip(successors.chain(once(None)))
    }
}

fn has_ended(successor: Option<OffsetDateTime>, now: OffsetDateTime, life: Duration) -> bool {
    successor.is_some_and(|from| from + life < now)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::super::signing_key::tests::master;
    use super::*;

    const NOON: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);
    const LIFE: Duration = Duration::from_secs(930);

    fn row(salt: &str, minutes_after_noon: u64) -> signing_key::Model {
        let kid = master().derive(salt).unwrap().id;
        signing_key::Model {
            predecessor: format!("that of {kid}"),
            kid,
            salt: salt.to_owned(),
            published_at: NOON,
            active_from: NOON + Duration::from_mins(minutes_after_noon),
        }
    }

    fn published(ring: &Ring, now: OffsetDateTime) -> Vec<String> {
        let keys = ring.published(now, LIFE).keys.into_iter();
        keys.map(|key| key.common.key_id.unwrap()).collect()
    }

    #[test]
    fn without_a_rotation_the_key_of_the_settings_signs_alone_and_for_ever() {
        let ring = Ring::of(&master(), &[]).unwrap();
        let id = &master().first.id;
        assert_eq!(&ring.signing(datetime!(2099-01-01 0:00 UTC)).id, id);
        assert_eq!(published(&ring, NOON), [id.as_str()]);
        assert_eq!(&ring.newest().id, id);
        assert!(ring.waiting(NOON).is_none());
    }

    #[test]
    fn a_key_is_published_signs_from_its_time_and_stays_until_its_last_token_has_ended() {
        let rows = [row("b", 120), row("a", 60)];
        let ring = Ring::of(&master(), &rows).unwrap();
        let (first, b, a) = (&master().first.id, &rows[0].kid, &rows[1].kid);
        let at = |minutes: u64, seconds: u64| {
            NOON + Duration::from_mins(minutes) + Duration::from_secs(seconds)
        };
        for (now, signs, kept) in [
            (at(0, 0), first, &[first, a, b][..]),
            (at(59, 59), first, &[first, a, b]),
            (at(60, 0), a, &[first, a, b]),
            (at(60, 930), a, &[first, a, b]),
            (at(60, 931), a, &[a, b]),
            (at(120, 930), b, &[a, b]),
            (at(120, 931), b, &[b]),
        ] {
            assert_eq!(&ring.signing(now).id, signs, "{now}");
            assert_eq!(published(&ring, now).iter().collect::<Vec<_>>(), kept);
        }
        assert_eq!(ring.ended(at(120, 931), LIFE), [first.clone(), a.clone()]);
        assert_eq!(&ring.newest().id, b);
        assert_eq!(ring.waiting(at(119, 59)).map(|turn| &turn.key.id), Some(b));
        assert!(ring.waiting(at(120, 0)).is_none());
    }

    #[test]
    fn the_first_key_does_not_come_back_when_the_rows_that_followed_it_are_forgotten() {
        let ring = Ring::of(&master(), &[row("b", 120)]).unwrap();
        let now = NOON + Duration::from_hours(3);
        assert_eq!(published(&ring, now), [row("b", 120).kid]);
    }

    #[test]
    fn a_key_made_under_another_secret_is_none_of_ours() {
        let mut foreign = row("a", 60);
        foreign.salt = "made elsewhere".to_owned();
        let ring = Ring::of(&master(), &[foreign]).unwrap();
        assert_eq!(ring.newest().id, master().first.id);
    }
}
