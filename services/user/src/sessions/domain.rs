//! The refresh token, and the family of all tokens one session has had.
//!
//! Refreshing spends a token and gives a successor. When the answer is lost, its owner presents the
//! spent token again, as a thief would; how the two are told apart is [`Family::present`], argued in
//! `docs/adr/0009-a-lost-answer-is-given-again.md`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

/// Random bytes in a token: more than can be guessed, so a plain digest keeps it safe at rest.
const TOKEN_BYTES: usize = 32;

/// A refresh token, on its way out or as somebody sent it.
#[derive(Debug, Clone)]
pub(crate) struct RefreshToken(SecretString);

impl RefreshToken {
    /// A new one, from the system's randomness.
    pub(crate) fn generate() -> Self {
        let bytes: [u8; TOKEN_BYTES] = rand::random();
        Self(URL_SAFE_NO_PAD.encode(bytes).into())
    }

    /// One that somebody sent.
    pub(crate) fn presented(text: String) -> Self {
        Self(text.into())
    }

    /// What is kept of it. Any text has a digest; that of a text we never issued is unknown.
    pub(crate) fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.expose_secret()))
    }

    /// The token itself, for the answer.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// How sessions are opened and go on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// From the login on; refreshing does not move the end.
    pub(crate) lifetime: Duration,
    /// For how long after its first spending a token may come back for another answer.
    pub(crate) replay_grace: Duration,
    /// Live sessions of one account; one more ends the oldest.
    pub(crate) per_account: u64,
}

/// The tokens of one live session, by generations.
///
/// The first token is generation 0. Spending a token of generation n gives tokens of generation
/// n + 1: one, or several when the answers were lost. Of a generation at most one is ever spent,
/// which makes its twins worthless; so the spent tokens are one line, and only the newest
/// generation, of which none is spent yet, goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Family {
    /// The newest generation.
    pub(crate) generation: i64,
}

/// A token of a family, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) generation: i64,
    /// When it was presented first.
    pub(crate) spent_at: Option<OffsetDateTime>,
}

/// What becomes of a family when one of its tokens is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presented {
    /// The token is spent, and the next generation has its first token.
    Advanced(Family),
    /// The answer was lost: the newest generation has one token more.
    Repeated(Family),
    /// Two hands hold tokens of this family; it ends for both.
    Replayed,
}

impl Family {
    /// That of a session just opened.
    pub(crate) const NEW: Self = Self { generation: 0 };

    /// Decides about `token`. `grace` runs from its first spending and does not begin again.
    pub(crate) fn present(self, token: Held, now: OffsetDateTime, grace: Duration) -> Presented {
        match token.spent_at {
            // One of the newest, and whichever twin comes first: a client knows only which answer
            // reached it, not which was given last.
            None if token.generation == self.generation => Presented::Advanced(Self {
                generation: self.generation + 1,
            }),
            // The last one spent, and none of its successors was used.
            Some(at) if token.generation + 1 == self.generation && now - at < grace => {
                Presented::Repeated(self)
            }
            // Spent too long ago, or before the last one, or the twin of a spent one.
            _ => Presented::Replayed,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;
    use time::macros::datetime;

    use super::*;

    const GRACE: Duration = Duration::from_secs(10);
    const START: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);

    #[test]
    fn a_token_has_256_random_bits_and_its_digest_says_nothing_of_it() {
        let (first, second) = (RefreshToken::generate(), RefreshToken::generate());
        assert_eq!(URL_SAFE_NO_PAD.decode(first.expose()).unwrap().len(), 32);
        assert_ne!(first.expose(), second.expose());
        assert_ne!(first.digest(), first.expose());
        assert_eq!(
            first.digest(),
            RefreshToken::presented(first.expose().to_owned()).digest()
        );
        assert!(!format!("{first:?}").contains(first.expose()));
    }

    /// A session with everything it ever issued; tokens are numbered in that order.
    struct Session {
        /// `None` once it has ended.
        family: Option<Family>,
        tokens: Vec<Held>,
        now: OffsetDateTime,
        history: History,
    }

    /// The same rule in other words, without generations, to compare with: who went on is a line
    /// of tokens, each an answer to the one before.
    #[derive(Default)]
    struct History {
        /// What each token was the answer to.
        parents: Vec<Option<usize>>,
        last: Option<(usize, OffsetDateTime)>,
    }

    impl History {
        fn goes_on(&mut self, token: usize, now: OffsetDateTime) -> bool {
            let parent = self.parents[token];
            match self.last {
                Some((last, first)) if last == token => now - first < GRACE,
                last if parent == last.map(|(last, _)| last) => {
                    self.last = Some((token, now));
                    true
                }
                _ => false,
            }
        }
    }

    impl Session {
        fn open() -> Self {
            let first = Held {
                generation: 0,
                spent_at: None,
            };
            let history = History {
                parents: vec![None],
                last: None,
            };
            Self {
                family: Some(Family::NEW),
                tokens: vec![first],
                now: START,
                history,
            }
        }

        /// The number of the token that answers, or `None`: signed out.
        fn refresh(&mut self, token: usize) -> Option<usize> {
            let family = self.family?;
            let next = family.present(self.tokens[token], self.now, GRACE);
            let expected = self.history.goes_on(token, self.now);
            assert_eq!(next != Presented::Replayed, expected, "token {token}");
            let family = match next {
                Presented::Advanced(family) => {
                    self.tokens[token].spent_at = Some(self.now);
                    family
                }
                Presented::Repeated(family) => family,
                Presented::Replayed => {
                    self.family = None;
                    return None;
                }
            };
            self.family = Some(family);
            self.history.parents.push(Some(token));
            self.tokens.push(Held {
                generation: family.generation,
                spent_at: None,
            });
            Some(self.tokens.len() - 1)
        }

        fn passes(&mut self, millis: u64) {
            self.now += Duration::from_millis(millis);
        }
    }

    #[test]
    fn a_token_comes_back_for_less_than_the_grace_counted_from_its_first_spending() {
        for (waits, goes_on) in [
            (vec![9_999], true),
            (vec![10_000], false),
            (vec![6_000, 6_000], false),
        ] {
            let mut session = Session::open();
            let answer = session.refresh(0).unwrap();
            let mut last = Some(answer);
            for wait in waits {
                session.passes(wait);
                last = session.refresh(0);
            }
            assert_eq!(last.is_some(), goes_on);
            assert_eq!(session.refresh(answer).is_some(), goes_on);
        }
    }

    #[test]
    fn a_token_does_not_come_back_once_a_successor_was_used() {
        let mut session = Session::open();
        let answer = session.refresh(0).unwrap();
        let newest = session.refresh(answer).unwrap();
        assert_eq!(session.refresh(0), None);
        assert_eq!(session.refresh(newest), None);
    }

    #[test]
    fn of_two_answers_either_goes_on_and_the_other_one_ends_both() {
        for (used, other) in [(1, 2), (2, 1)] {
            let mut session = Session::open();
            assert_eq!((session.refresh(0), session.refresh(0)), (Some(1), Some(2)));
            let newest = session.refresh(used).unwrap();
            assert_eq!(session.refresh(other), None);
            assert_eq!(session.refresh(newest), None);
        }
    }

    proptest! {
        /// `Session::refresh` compares every step with the history.
        #[test]
        fn the_spent_tokens_are_one_line_whatever_is_presented_when(
            steps in prop::collection::vec((any::<Index>(), 0..15_000_u64), 1..60),
        ) {
            let mut session = Session::open();
            for (token, wait) in steps {
                session.passes(wait);
                session.refresh(token.index(session.tokens.len()));
                let mut spent: Vec<_> = session.tokens.iter()
                    .filter(|token| token.spent_at.is_some())
                    .map(|token| token.generation)
                    .collect();
                spent.sort_unstable();
                prop_assert!(spent.iter().zip(0..).all(|(spent, line)| *spent == line));
            }
        }

        /// Answers are lost, late and out of order; whichever the client has kept, it goes on.
        #[test]
        fn whoever_asks_again_within_the_grace_is_never_signed_out(
            rounds in prop::collection::vec(
                (prop::collection::vec(0..1_999_u64, 1..=5), any::<Index>(), 0..5_000_000_u64),
                1..20,
            ),
        ) {
            let mut session = Session::open();
            let mut held = 0;
            for (retries, kept, idle) in rounds {
                let mut answers = Vec::new();
                for pause in retries {
                    let answer = session.refresh(held);
                    prop_assert!(answer.is_some());
                    answers.extend(answer);
                    session.passes(pause);
                }
                held = answers[kept.index(answers.len())];
                session.passes(idle);
            }
        }

        /// A copy of any token the owner ever had, used at any time beside the owner's own.
        #[test]
        fn a_stolen_token_is_worth_nothing_once_owner_and_thief_both_used_what_they_got(
            before in 0..5_usize,
            stolen in any::<Index>(),
            turns in prop::collection::vec((any::<bool>(), 0..15_000_u64), 0..30),
        ) {
            let mut session = Session::open();
            let mut had = vec![0];
            for _ in 0..before {
                session.passes(900_000);
                had.extend(session.refresh(had[had.len() - 1]));
            }
            let mut hands = [*had.last().unwrap(), had[stolen.index(had.len())]];
            // Whether a hand holds an answer of its own, and whether it has used one.
            let (mut answered, mut used) = ([false; 2], [false; 2]);
            for (thief, wait) in turns {
                let hand = usize::from(thief);
                session.passes(wait);
                used[hand] |= answered[hand];
                if let Some(answer) = session.refresh(hands[hand]) {
                    hands[hand] = answer;
                    answered[hand] = true;
                }
                prop_assert!(used != [true; 2] || session.family.is_none());
            }
        }
    }
}
