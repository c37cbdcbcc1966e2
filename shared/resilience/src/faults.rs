//! Faults on purpose: an attempt that is delayed, or not made at all, because somebody asked so.
//!
//! What a breaker, a budget and a fallback are worth is seen only when a peer fails, and peers do
//! not fail on demand. A [`Fault`] makes some attempts fail *here*, in front of the real one, and
//! everything around the attempt cannot tell the difference. It ends by itself, after so many
//! hits or so much time, when it is told to; one that is told neither, such as a fault of the
//! settings, stays until it is taken away or the process ends.
//!
//! What happens instead of the work is the caller's own type `I`: a status for HTTP, a reply code
//! for SMTP. Which attempts are hit is drawn from a seed, so a run can be repeated.
//!
//! Without a fault an attempt costs one atomic load, [`Faults::is_set`]; nothing else is ever
//! touched. With one, a lock is held for the draw.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::deadline::Instant;
use crate::settings::InvalidSetting;

/// The longest delay, and the longest a fault set for a while may last: one that is forgotten is
/// over before it is taken for an outage.
pub const LONGEST_MS: u64 = 600_000;
const LONGEST: Duration = Duration::from_millis(LONGEST_MS);

/// What is to go wrong, as it is asked for; [`check`](Self::check) makes a [`Fault`] of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan<I> {
    /// Share of the attempts that are hit, 0 to 1.
    pub ratio: f64,
    /// Wait before the attempt, at most [`LONGEST_MS`].
    pub delay: Duration,
    /// What comes of the attempt instead of the work; `None` does the work after the delay.
    pub instead: Option<I>,
    /// Over after so many hits; `None` counts none.
    pub times: Option<u32>,
    /// Over after this, at most [`LONGEST_MS`]; `None` lasts until it is taken away.
    pub lasts: Option<Duration>,
    /// Decides which attempts are hit.
    pub seed: u64,
}

impl<I> Plan<I> {
    /// Checks every value.
    ///
    /// # Errors
    /// All values that cannot be, by their keys: `ratio`, `latency_ms`, `times`, `for_ms`.
    pub fn check(self) -> Result<Fault<I>, Vec<InvalidSetting>> {
        let rules = [
            // Not a number is in no range.
            (
                (0.0..=1.0).contains(&self.ratio),
                "ratio",
                "be between 0 and 1",
            ),
            (
                self.delay <= LONGEST,
                "latency_ms",
                "be between 0 and 600000",
            ),
            (self.times != Some(0), "times", "be at least 1"),
            (
                self.lasts
                    .is_none_or(|lasts| !lasts.is_zero() && lasts <= LONGEST),
                "for_ms",
                "be between 1 and 600000",
            ),
        ];
        let broken: Vec<_> = rules
            .into_iter()
            .filter(|(holds, ..)| !holds)
            .map(|(_, key, rule)| InvalidSetting { key, rule })
            .collect();
        if broken.is_empty() {
            Ok(Fault(self))
        } else {
            Err(broken)
        }
    }
}

/// A [`Plan`] whose values can be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault<I>(Plan<I>);

impl<I> Fault<I> {
    /// The values.
    pub fn plan(&self) -> &Plan<I> {
        &self.0
    }
}

impl<I: Copy> Fault<I> {
    /// As it is at the moment it is set.
    pub fn begun(&self) -> Active<I> {
        Active {
            fault: *self,
            remaining: self.0.times,
            ends_in: self.0.lasts,
        }
    }
}

/// What befalls one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injection<I> {
    /// Wait this long first.
    pub delay: Duration,
    /// Then do this instead of the work, when there is something.
    pub instead: Option<I>,
}

/// Why a fault is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It has hit as many attempts as it was to.
    Times,
    /// It has lasted as long as it was to.
    Expired,
    /// Somebody took it away.
    Removed,
    /// Another one took its place.
    Replaced,
}

/// What is decided about one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision<I> {
    /// What befalls it; `None` lets it pass.
    pub injection: Option<Injection<I>>,
    /// Whether this was found, or made, to be the end of the fault.
    pub end: Option<End>,
}

/// A fault under way, at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Active<I> {
    /// As it was asked for.
    pub fault: Fault<I>,
    /// Hits that are left, when they are counted.
    pub remaining: Option<u32>,
    /// Time that is left, when it ends by itself.
    pub ends_in: Option<Duration>,
}

/// Holds at most one fault and decides about each attempt.
#[derive(Debug)]
pub struct Faults<I> {
    set: AtomicBool,
    injected: AtomicU64,
    running: Mutex<Option<Running<I>>>,
}

#[derive(Debug)]
struct Running<I> {
    fault: Fault<I>,
    dice: fastrand::Rng,
    remaining: Option<u32>,
    ends: Option<Instant>,
}

impl<I> Running<I> {
    fn is_over(&self, now: Instant) -> bool {
        self.ends.is_some_and(|ends| now >= ends)
    }
}

impl<I> Default for Faults<I> {
    fn default() -> Self {
        Self {
            set: AtomicBool::new(false),
            injected: AtomicU64::new(0),
            running: Mutex::new(None),
        }
    }
}

impl<I: Copy> Faults<I> {
    /// Whether there may be a fault. Ask before [`decide`](Self::decide): it costs nothing.
    pub fn is_set(&self) -> bool {
        self.set.load(Relaxed)
    }

    /// Starts a fault; gives the end of the one before, if it was still running.
    pub fn set(&self, fault: Fault<I>, now: Instant) -> Option<End> {
        let plan = fault.plan();
        let running = Running {
            fault,
            dice: fastrand::Rng::with_seed(plan.seed),
            remaining: plan.times,
            ends: plan.lasts.map(|lasts| now + lasts),
        };
        let mut held = self.lock();
        let before = held.replace(running);
        self.set.store(true, Relaxed);
        before.map(|before| ended_by(&before, End::Replaced, now))
    }

    /// Takes the fault away; `None` when there was none.
    pub fn clear(&self, now: Instant) -> Option<End> {
        let mut held = self.lock();
        let before = self.end(&mut held)?;
        Some(ended_by(&before, End::Removed, now))
    }

    /// Notices that time is up; `None` when it is not, or nothing runs.
    pub fn expire(&self, now: Instant) -> Option<End> {
        if !self.is_set() {
            return None;
        }
        let mut held = self.lock();
        if !held.as_ref()?.is_over(now) {
            return None;
        }
        self.end(&mut held).map(|_| End::Expired)
    }

    /// What befalls the next attempt.
    pub fn decide(&self, now: Instant) -> Decision<I> {
        let mut held = self.lock();
        let pass = |end| Decision {
            injection: None,
            end,
        };
        let Some(running) = held.as_mut() else {
            return pass(None);
        };
        if running.is_over(now) {
            self.end(&mut held);
            return pass(Some(End::Expired));
        }
        let plan = running.fault.0;
        // In 0..1, so that a ratio of 1 hits every attempt and 0 none.
        if running.dice.f64() >= plan.ratio {
            return pass(None);
        }
        self.injected.fetch_add(1, Relaxed);
        running.remaining = running.remaining.map(|left| left.saturating_sub(1));
        let was_last = running.remaining == Some(0);
        if was_last {
            self.end(&mut held);
        }
        let (delay, instead) = (plan.delay, plan.instead);
        Decision {
            injection: Some(Injection { delay, instead }),
            end: was_last.then_some(End::Times),
        }
    }

    /// Attempts hit since the start, by this fault and those before.
    pub fn injected(&self) -> u64 {
        self.injected.load(Relaxed)
    }

    /// The fault, unless there is none or its time is up.
    pub fn active(&self, now: Instant) -> Option<Active<I>> {
        let held = self.lock();
        let running = held.as_ref().filter(|running| !running.is_over(now))?;
        Some(Active {
            fault: running.fault,
            remaining: running.remaining,
            ends_in: running.ends.map(|ends| ends.duration_since(now)),
        })
    }

    fn end(&self, held: &mut Option<Running<I>>) -> Option<Running<I>> {
        self.set.store(false, Relaxed);
        held.take()
    }

    /// Nothing under the lock can panic half way through a change.
    fn lock(&self) -> MutexGuard<'_, Option<Running<I>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fault whose time was up before anybody looked has expired, whatever else befell it.
fn ended_by<I>(before: &Running<I>, end: End, now: Instant) -> End {
    if before.is_over(now) {
        End::Expired
    } else {
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAN: Plan<u16> = Plan {
        ratio: 1.0,
        delay: Duration::ZERO,
        instead: Some(503),
        times: None,
        lasts: None,
        seed: 7,
    };
    const PASS: Decision<u16> = Decision {
        injection: None,
        end: None,
    };
    const HIT: Decision<u16> = Decision {
        injection: Some(Injection {
            delay: Duration::ZERO,
            instead: Some(503),
        }),
        end: None,
    };

    fn running(plan: Plan<u16>, now: Instant) -> Faults<u16> {
        let faults = Faults::default();
        assert_eq!(faults.set(plan.check().unwrap(), now), None);
        faults
    }

    /// Which of the next `attempts` are hit.
    fn hits(faults: &Faults<u16>, attempts: usize, now: Instant) -> Vec<bool> {
        let hit = |_| faults.decide(now).injection.is_some();
        (0..attempts).map(hit).collect()
    }

    #[test]
    fn without_a_fault_every_attempt_passes() {
        let (faults, now) = (Faults::<u16>::default(), Instant::now());
        assert!(!faults.is_set());
        assert_eq!(faults.decide(now), PASS);
        assert_eq!((faults.active(now), faults.injected()), (None, 0));
        assert_eq!((faults.clear(now), faults.expire(now)), (None, None));
    }

    #[test]
    fn a_fault_that_is_taken_away_hits_until_then() {
        let now = Instant::now();
        let faults = running(PLAN, now);
        assert!(faults.is_set());
        assert_eq!(faults.decide(now + LONGEST * 100), HIT);
        assert_eq!(faults.clear(now), Some(End::Removed));
        assert!(!faults.is_set());
        assert_eq!(faults.decide(now), PASS);
        assert_eq!(faults.injected(), 1);
    }

    #[test]
    fn times_run_out_with_the_last_hit() {
        let now = Instant::now();
        let plan = Plan {
            times: Some(2),
            ..PLAN
        };
        let faults = running(plan, now);
        assert_eq!(faults.active(now), Some(plan.check().unwrap().begun()));
        assert_eq!(faults.decide(now), HIT);
        assert_eq!(faults.active(now).unwrap().remaining, Some(1));
        let end = Some(End::Times);
        assert_eq!(faults.decide(now), Decision { end, ..HIT });
        assert!(!faults.is_set());
        assert_eq!(faults.decide(now), PASS);
        assert_eq!((faults.active(now), faults.injected()), (None, 2));
    }

    #[test]
    fn only_hits_are_counted_and_not_the_attempts_that_pass() {
        let now = Instant::now();
        let plan = Plan {
            ratio: 0.1,
            times: Some(3),
            ..PLAN
        };
        let faults = running(plan, now);
        let hit = hits(&faults, 1_000, now)
            .into_iter()
            .filter(|hit| *hit)
            .count();
        assert_eq!(hit, 3);
    }

    #[test]
    fn time_runs_out_whether_or_not_somebody_asks() {
        let now = Instant::now();
        let plan = Plan {
            lasts: Some(Duration::from_mins(1)),
            ..PLAN
        };
        let (before, after) = (
            now + Duration::from_millis(59_999),
            now + Duration::from_mins(1),
        );
        let faults = running(plan, now);
        assert_eq!(faults.decide(before), HIT);
        assert_eq!(
            faults.active(before).unwrap().ends_in,
            Some(Duration::from_millis(1))
        );
        assert_eq!(faults.expire(before), None);
        assert_eq!(faults.active(after), None);
        let end = Some(End::Expired);
        assert_eq!(faults.decide(after), Decision { end, ..PASS });
        assert_eq!(faults.decide(after), PASS);

        assert_eq!(running(plan, now).expire(after), end);
        assert_eq!(running(plan, now).clear(after), end);
    }

    #[test]
    fn a_second_fault_takes_the_place_of_the_first() {
        let now = Instant::now();
        let faults = running(PLAN, now);
        let other = Plan {
            delay: Duration::from_secs(1),
            instead: None,
            ..PLAN
        };
        assert_eq!(faults.set(other.check().unwrap(), now), Some(End::Replaced));
        let injection = faults.decide(now).injection.unwrap();
        assert_eq!(
            (injection.delay, injection.instead),
            (Duration::from_secs(1), None)
        );
    }

    #[test]
    fn the_same_seed_hits_the_same_attempts_and_another_one_others() {
        let now = Instant::now();
        let of = |seed| {
            let plan = Plan {
                ratio: 0.5,
                seed,
                ..PLAN
            };
            hits(&running(plan, now), 64, now)
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name_all_at_once() {
        let plan = Plan {
            ratio: f64::NAN,
            delay: LONGEST + Duration::from_millis(1),
            times: Some(0),
            lasts: Some(Duration::ZERO),
            ..PLAN
        };
        let keys: Vec<_> = plan
            .check()
            .unwrap_err()
            .iter()
            .map(|broken| broken.key)
            .collect();
        assert_eq!(keys, ["ratio", "latency_ms", "times", "for_ms"]);
        let edge = Plan {
            ratio: 0.0,
            delay: LONGEST,
            times: Some(1),
            lasts: Some(LONGEST),
            ..PLAN
        };
        assert!(edge.check().is_ok());
    }

    proptest! {
        #[test]
        fn the_share_that_is_hit_is_the_share_asked_for(ratio in 0.0..=1.0_f64, seed: u64) {
            let now = Instant::now();
            let faults = running(Plan { ratio, seed, ..PLAN }, now);
            hits(&faults, 10_000, now);
            // Six standard deviations of the worst ratio.
            let share = f64::from(u32::try_from(faults.injected()).unwrap()) / 10_000.0;
            prop_assert!((share - ratio).abs() <= 0.03, "{share} for {ratio}");
        }
    }
}
