//! A circuit breaker per endpoint: stop calling a peer that fails, and try it again with care.
//!
//! It **opens** on so many failures in a row, which notices a dead peer at once, on a share of
//! failures over a window, which notices a half-dead one, or on a share of slow calls. While
//! **open** nothing passes, for a length that doubles each time it opens again, with jitter. Then
//! it is **half-open**: a few probes pass, never more, and all of them must succeed in time before
//! it **closes**. Closed again, it **ramps up**: a tenth of the calls pass, then ever more of them,
//! and until all do, the next outage is a continuation of the last one.
//!
//! A call holds a [`Permit`]. Four rules make the verdicts honest:
//! - a permit dropped early without a verdict (its caller was cancelled) returns its place and
//!   says nothing about the peer;
//! - one dropped late (its caller had waited for long enough) is a failure: a peer that hangs is
//!   noticed even by callers who have only an outer timeout;
//! - a permit of an older generation is ignored: a success from before the outage does not close;
//! - a call is better given up *inside* its permit, and its verdict told.
//!
//! Asking and telling take no lock and allocate nothing, and cost the same whatever the traffic.

mod machine;
mod operator;
mod permit;
mod ramp;
mod report;
mod settings;
mod tally;
mod word;

use std::fmt;
use std::time::Duration;

use self::machine::{Admission, Finding, Step};
use self::permit::Role;
pub use self::permit::{Permit, Verdict};
use self::ramp::Ramp;
pub use self::report::{Cause, Mode, Refused, Snapshot, State, Transition};
pub use self::settings::BreakerSettings;
use self::settings::NANOS_PER_MS;
use self::tally::Tally;
use self::word::{Machine, Phase};
use crate::deadline::Instant;
use crate::settings::InvalidSetting;
use crate::sync::{AtomicU8, AtomicU64, Ordering};

type Listener = Box<dyn Fn(Transition) + Send + Sync>;

/// One endpoint's breaker. Share it by reference; every method takes `&self`.
pub struct Breaker {
    settings: BreakerSettings,
    born: Instant,
    seed: u64,
    word: AtomicU64,
    mode: AtomicU8,
    tally: Tally,
    ramp: Ramp,
    listener: Option<Listener>,
}

impl Breaker {
    /// A closed breaker. `seed` drives the jitter: random in production, fixed in tests.
    pub fn new(
        settings: &BreakerSettings,
        now: Instant,
        seed: u64,
    ) -> Result<Self, InvalidSetting> {
        settings.validate()?;
        Ok(Self {
            settings: *settings,
            born: now,
            seed,
            word: AtomicU64::new(Machine::new().pack()),
            mode: AtomicU8::new(Mode::Automatic as u8),
            tally: Tally::new(settings.window_ms),
            ramp: Ramp::default(),
            listener: None,
        })
    }

    /// Tells `listener` of every change of state. It runs inside the call that caused the change
    /// and must not block.
    #[must_use]
    pub fn on_transition(mut self, listener: impl Fn(Transition) + Send + Sync + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Whether a call would pass now. Takes nothing, so it may be asked before queueing. While the
    /// breaker ramps up it says yes, and [`acquire`](Self::acquire) picks those that pass.
    pub fn peek(&self, now: Instant) -> Result<(), Refused> {
        match self.mode() {
            Mode::ForcedClosed | Mode::Shadow => Ok(()),
            Mode::ForcedOpen => Err(self.refused_by_hand()),
            Mode::Automatic => match self.load().admit(self.millis(now), &self.settings) {
                Admission::Pass | Admission::Ramp(_) | Admission::Probe(_) => Ok(()),
                Admission::Refuse { retry_after_ms } => Err(Refused {
                    retry_after: Duration::from_millis(retry_after_ms),
                }),
            },
        }
    }

    /// Asks to pass. The permit wants a verdict when the call has ended.
    pub fn acquire(&self, now: Instant) -> Result<Permit<'_>, Refused> {
        match self.mode() {
            Mode::ForcedClosed => Ok(self.uncounted()),
            Mode::ForcedOpen => Err(self.refused_by_hand()),
            Mode::Automatic => self.admit(now),
            Mode::Shadow => Ok(self.admit(now).unwrap_or_else(|_| self.uncounted())),
        }
    }

    fn admit(&self, now: Instant) -> Result<Permit<'_>, Refused> {
        let now_ns = self.nanos(now);
        let now_ms = now_ns / NANOS_PER_MS;
        let floor = self.settings.ramp_floor_per_second;
        loop {
            let machine = self.load();
            let permit = |generation, role| Ok(Permit::new(self, now_ns, generation, role));
            match machine.admit(now_ms, &self.settings) {
                Admission::Pass => return permit(machine.generation, Role::Counted),
                Admission::Ramp(share) if self.ramp.passes(share, now_ms, floor) => {
                    return permit(machine.generation, Role::Counted);
                }
                Admission::Ramp(_) => {
                    let retry_after = ramp::RETRY_AFTER;
                    return Err(Refused { retry_after });
                }
                Admission::Probe(step) => {
                    if self.make(machine, step, now_ms) {
                        return permit(step.next.generation, Role::Probe);
                    }
                }
                Admission::Refuse { retry_after_ms } => {
                    let retry_after = Duration::from_millis(retry_after_ms);
                    return Err(Refused { retry_after });
                }
            }
        }
    }

    const fn uncounted(&self) -> Permit<'_> {
        Permit::new(self, 0, 0, Role::Uncounted)
    }

    /// Counts the verdict of a call granted in `generation` that ended at `now`.
    fn settle(&self, generation: u16, verdict: Verdict, took_ns: u64, now_ns: u64) {
        let slow = took_ns >= self.settings.slow_ns();
        let finding = match verdict {
            Verdict::Success if slow => Finding::Slow,
            Verdict::Success => Finding::Healthy,
            Verdict::Failure => Finding::Failed,
            Verdict::Throttled => Finding::Throttled,
        };
        let now_ms = now_ns / NANOS_PER_MS;
        let mut counted = false;
        loop {
            let machine = self.load();
            if machine.generation != generation {
                return;
            }
            let mut tripped = None;
            if let Some(since_ms) = machine.closed_since() {
                if !counted {
                    self.tally.add(now_ms, verdict != Verdict::Success, slow);
                    counted = true;
                }
                // The usual call changes nothing, and lowers the shares.
                if finding == Finding::Healthy && machine.is_steady() {
                    return;
                }
                if finding != Finding::Healthy {
                    tripped = self.tally.counts(now_ms, since_ms).tripped(&self.settings);
                }
            }
            let step = machine.after(finding, tripped, now_ms, &self.settings, self.seed);
            if step.next == machine || self.make(machine, step, now_ms) {
                return;
            }
        }
    }

    /// Returns the place of a probe that ended without a verdict.
    fn abandon(&self, generation: u16) {
        loop {
            let machine = self.load();
            if machine.generation != generation
                || self.swap(machine, machine.after_abandoned_probe())
            {
                return;
            }
        }
    }

    /// Makes the step and tells the listener if it is a change of state.
    fn make(&self, machine: Machine, Step { next, cause }: Step, now_ms: u64) -> bool {
        if !self.swap(machine, next) {
            return false;
        }
        if let (Some(listener), Some(cause)) = (&self.listener, cause) {
            listener(Transition {
                from: state(machine.phase),
                to: state(next.phase),
                cause,
                open_for: Duration::from_millis(open_for_ms(next.phase, now_ms)),
                mode: self.mode(),
            });
        }
        true
    }

    fn load(&self) -> Machine {
        Machine::unpack(self.word.load(Ordering::Acquire))
    }

    fn swap(&self, from: Machine, to: Machine) -> bool {
        let (from, to) = (from.pack(), to.pack());
        let swapped = self
            .word
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire);
        swapped.is_ok()
    }

    /// A peer taken out by hand returns when a person says so: the guess is the shortest rest.
    fn refused_by_hand(&self) -> Refused {
        Refused {
            retry_after: Duration::from_millis(self.settings.open_ms),
        }
    }

    fn millis(&self, now: Instant) -> u64 {
        self.nanos(now) / NANOS_PER_MS
    }

    /// Nanoseconds since it was made: enough for five centuries.
    fn nanos(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.born);
        elapsed.as_secs().saturating_mul(1000 * NANOS_PER_MS) + u64::from(elapsed.subsec_nanos())
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker")
            .field("state", &self.state())
            .field("mode", &self.mode())
            .finish_non_exhaustive()
    }
}

const fn state(phase: Phase) -> State {
    match phase {
        Phase::Closed { .. } | Phase::Recovering { .. } => State::Closed,
        Phase::Open { .. } => State::Open,
        Phase::HalfOpen { .. } => State::HalfOpen,
    }
}

const fn open_for_ms(phase: Phase, now_ms: u64) -> u64 {
    match phase {
        Phase::Open { until_ms, .. } => until_ms.saturating_sub(now_ms),
        Phase::Closed { .. } | Phase::Recovering { .. } | Phase::HalfOpen { .. } => 0,
    }
}

#[cfg(all(test, lyceum_loom))]
mod models;
