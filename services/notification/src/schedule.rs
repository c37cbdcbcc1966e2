//! What becomes of a letter, or of a message of a webhook, after an attempt. Pure.

use std::time::Duration;

use lyceum_contracts::delivery::DeliveryState;
use time::OffsetDateTime;

/// What is still to be sent.
pub(crate) const OPEN: [DeliveryState; 2] = [DeliveryState::Queued, DeliveryState::Sending];
/// What has come to its end.
pub(crate) const ENDED: [DeliveryState; 3] = [
    DeliveryState::Sent,
    DeliveryState::Dead,
    DeliveryState::Cancelled,
];

/// The pauses between attempts (Svix's, with half a minute added): after the last one fails too,
/// the letter is dead, some 18 hours after it was caused.
const PAUSES: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
];

/// A pause is as much as this longer or shorter, so that what failed together is not tried
/// together.
const JITTER: f64 = 0.2;

/// The word for a letter whose reader wants it later.
pub(crate) const NOT_YET: &str = "not_yet";

/// What a claim writes besides: that of one whose last claim ended without a word counts one more
/// attempt, so that whatever takes the process down is not tried for ever.
pub(crate) const CLAIM_WRITES: &str = ", updated_at = $1, \
    attempts = attempts + CASE WHEN state = 'sending' THEN 1 ELSE 0 END";

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server has accepted the letter.
    Sent,
    /// Not this time.
    Failed(Cause),
    /// Never.
    Refused(Cause),
    /// Nobody wants it any more.
    Unwanted(Cause),
    /// It was not tried: something else than the letter, or its server's answer to it, was in the
    /// way.
    PutOff { cause: Cause, wait: Duration },
}

/// A stable word for what went wrong, without a name or an address in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause(String);

impl Cause {
    /// The answer of a mail server, such as `smtp_550`.
    pub(crate) fn reply(code: u16) -> Self {
        Self(format!("smtp_{code}"))
    }

    /// The answer of a receiver of webhooks, such as `http_500`.
    pub(crate) fn status(code: u16) -> Self {
        Self(format!("http_{code}"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Cause {
    fn from(word: &'static str) -> Self {
        Self(word.to_owned())
    }
}

impl Outcome {
    /// Whether a letter that had failed `attempts` times before is dead now.
    pub(crate) fn is_fatal(&self, attempts: i64) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Failed(_) => is_exhausted(attempts + 1),
            Self::Sent | Self::Unwanted(_) | Self::PutOff { .. } => false,
        }
    }
}

/// What is written down of a letter after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) state: DeliveryState,
    pub(crate) attempts: i64,
    pub(crate) due_at: OffsetDateTime,
    pub(crate) error: Option<String>,
}

/// Whether a letter with so many failed attempts is to be tried again.
pub(crate) fn is_exhausted(attempts: i64) -> bool {
    attempts > i64::try_from(PAUSES.len()).unwrap_or(i64::MAX)
}

/// Where a letter stands that had failed `attempts` times before this `outcome`.
pub(crate) fn after(
    outcome: &Outcome,
    attempts: i64,
    now: OffsetDateTime,
    rng: &mut fastrand::Rng,
) -> Standing {
    let standing = |state, attempts, due_at, error: Option<&Cause>| Standing {
        state,
        attempts,
        due_at,
        error: error.map(|cause| cause.as_str().to_owned()),
    };
    match outcome {
        Outcome::Sent => standing(DeliveryState::Sent, attempts, now, None),
        Outcome::Failed(cause) => {
            let failed = attempts + 1;
            let pause = usize::try_from(attempts).ok().and_then(|n| PAUSES.get(n));
            match pause {
                Some(pause) => {
                    let stretch = 1.0 - JITTER + 2.0 * JITTER * rng.f64();
                    let due_at = now + pause.mul_f64(stretch);
                    standing(DeliveryState::Queued, failed, due_at, Some(cause))
                }
                None => standing(DeliveryState::Dead, failed, now, Some(cause)),
            }
        }
        Outcome::Refused(cause) => standing(DeliveryState::Dead, attempts + 1, now, Some(cause)),
        Outcome::Unwanted(cause) => standing(DeliveryState::Cancelled, attempts, now, Some(cause)),
        Outcome::PutOff { cause, wait } => {
            standing(DeliveryState::Queued, attempts, now + *wait, Some(cause))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-02 03:04 UTC);

    fn failing(attempts: i64, seed: u64) -> Standing {
        let outcome = Outcome::Failed("timeout".into());
        after(&outcome, attempts, NOW, &mut fastrand::Rng::with_seed(seed))
    }

    #[test]
    fn a_letter_that_fails_eight_times_is_dead() {
        for attempts in 0..7 {
            let standing = failing(attempts, 1);
            assert_eq!(standing.state, DeliveryState::Queued);
            assert_eq!(standing.attempts, attempts + 1);
            assert!(!is_exhausted(attempts + 1));
            assert!(!Outcome::Failed("timeout".into()).is_fatal(attempts));
        }
        let standing = failing(7, 1);
        assert_eq!(standing.state, DeliveryState::Dead);
        assert_eq!(standing.error.as_deref(), Some("timeout"));
        assert!(is_exhausted(8));
        assert!(Outcome::Failed("timeout".into()).is_fatal(7));
    }

    #[test]
    fn what_is_refused_or_unwanted_is_not_tried_again() {
        let mut rng = fastrand::Rng::with_seed(1);
        let refused = Outcome::Refused(Cause::reply(550));
        let refused = after(&refused, 0, NOW, &mut rng);
        assert_eq!(refused.state, DeliveryState::Dead);
        assert_eq!(refused.error.as_deref(), Some("smtp_550"));
        let unwanted = after(&Outcome::Unwanted("muted".into()), 2, NOW, &mut rng);
        assert_eq!(
            (unwanted.state, unwanted.attempts),
            (DeliveryState::Cancelled, 2)
        );
    }

    #[test]
    fn what_was_not_tried_is_not_counted() {
        let outcome = Outcome::PutOff {
            cause: "breaker_open".into(),
            wait: Duration::from_secs(9),
        };
        let standing = after(&outcome, 7, NOW, &mut fastrand::Rng::with_seed(1));
        assert_eq!(
            (standing.state, standing.attempts),
            (DeliveryState::Queued, 7)
        );
        assert_eq!(standing.due_at, NOW + Duration::from_secs(9));
    }

    proptest! {
        #[test]
        fn a_pause_is_a_fifth_longer_or_shorter_at_most(attempts in 0_i64..7, seed in any::<u64>()) {
            let pause = PAUSES[usize::try_from(attempts).unwrap()].as_secs_f64();
            let waits = (failing(attempts, seed).due_at - NOW).as_seconds_f64();
            prop_assert!((0.8 * pause - 0.001..=1.2 * pause + 0.001).contains(&waits), "{waits}");
        }
    }
}
