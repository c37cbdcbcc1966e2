//! A circuit breaker per endpoint: stop calling a peer that fails, and try it again with care.
//!
//! It **opens** on so many failures in a row, which notices a dead peer at once, or on a share of
//! failures over a window, which notices a half-dead one. While **open** nothing passes, for a
//! length that doubles with every failed try, with jitter. Then it is **half-open**: a few probes
//! pass, never more, and all of them must succeed before it **closes**.
//!
//! A call holds a [`Permit`]. Three rules make the verdicts honest:
//! - a permit dropped without a verdict (its caller was cancelled) returns its place and says
//!   nothing about the peer;
//! - a permit of an older generation is ignored: a success from before the outage does not close;
//! - a call must be given up *inside* its permit, so that a hung peer is a failing peer.
//!
//! Asking and telling take no lock and allocate nothing, and cost the same whatever the traffic.

mod machine;
mod permit;
mod report;
mod settings;

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use self::machine::{Admission, Finding, Machine, Phase};
use self::permit::Role;
pub use self::permit::{Permit, Verdict};
pub use self::report::{Mode, Refused, Snapshot, State, Transition};
pub use self::settings::BreakerSettings;
use crate::deadline::Instant;
use crate::settings::InvalidSetting;
use crate::window::{Counts, Window};

type Listener = Box<dyn Fn(Transition) + Send + Sync>;

/// One endpoint's breaker. Share it by reference; every method takes `&self`.
pub struct Breaker {
    settings: BreakerSettings,
    born: Instant,
    seed: u64,
    word: AtomicU64,
    mode: AtomicU8,
    window: Window,
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
            window: Window::new(settings.window_ms),
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

    /// Whether a call would pass now. Takes nothing, so it may be asked before queueing.
    pub fn peek(&self, now: Instant) -> Result<(), Refused> {
        match self.mode() {
            Mode::ForcedClosed | Mode::Shadow => Ok(()),
            Mode::ForcedOpen => Err(self.refused_by_hand()),
            Mode::Automatic => match self.load().admit(self.millis(now), &self.settings) {
                Admission::Pass | Admission::Probe(_) => Ok(()),
                Admission::Refuse { retry_after_ms } => Err(Refused {
                    retry_after: Duration::from_millis(retry_after_ms),
                }),
            },
        }
    }

    /// Asks to pass. The permit wants a verdict when the call has ended.
    pub fn acquire(&self, now: Instant) -> Result<Permit<'_>, Refused> {
        match self.mode() {
            Mode::ForcedClosed => Ok(Permit::new(self, 0, Role::Uncounted)),
            Mode::ForcedOpen => Err(self.refused_by_hand()),
            Mode::Automatic => self.admit(now),
            Mode::Shadow => Ok(self
                .admit(now)
                .unwrap_or_else(|_| Permit::new(self, 0, Role::Uncounted))),
        }
    }

    fn admit(&self, now: Instant) -> Result<Permit<'_>, Refused> {
        let now_ms = self.millis(now);
        loop {
            let machine = self.load();
            match machine.admit(now_ms, &self.settings) {
                Admission::Pass => return Ok(Permit::new(self, machine.generation, Role::Counted)),
                Admission::Probe(next) => {
                    if self.replace(machine, next, now_ms) {
                        return Ok(Permit::new(self, next.generation, Role::Probe));
                    }
                }
                Admission::Refuse { retry_after_ms } => {
                    let retry_after = Duration::from_millis(retry_after_ms);
                    return Err(Refused { retry_after });
                }
            }
        }
    }

    /// Counts the verdict of a call granted in `generation`.
    fn settle(&self, generation: u16, verdict: Verdict, now: Instant) {
        let now_ms = self.millis(now);
        let mut counted = false;
        loop {
            let machine = self.load();
            if machine.generation != generation {
                return;
            }
            if let (Phase::Closed { .. }, false) = (machine.phase, counted) {
                let marked = u64::from(verdict != Verdict::Success);
                self.window.add(now_ms, Counts { calls: 1, marked });
                counted = true;
            }
            let finding = match verdict {
                Verdict::Success => Finding::Healthy,
                Verdict::Failure => Finding::Failed {
                    tripped: self.tripped(machine, now_ms),
                },
                Verdict::Throttled => Finding::Throttled {
                    tripped: self.tripped(machine, now_ms),
                },
            };
            let dice = scramble(self.seed ^ u64::from(generation));
            let next = machine.after(finding, now_ms, &self.settings, dice);
            if next == machine || self.replace(machine, next, now_ms) {
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

    /// Whether the window's share of failures is reached.
    fn tripped(&self, machine: Machine, now_ms: u64) -> bool {
        let Phase::Closed { since_ms, .. } = machine.phase else {
            return false;
        };
        let Counts { calls, marked } = self.window.counts(now_ms, since_ms);
        calls >= u64::from(self.settings.minimum_calls)
            && marked * 100 >= calls * u64::from(self.settings.failure_percent)
    }

    /// Makes the step and tells the listener if it is a change of state.
    fn replace(&self, machine: Machine, next: Machine, now_ms: u64) -> bool {
        if !self.swap(machine, next) {
            return false;
        }
        let (from, to) = (state(machine.phase), state(next.phase));
        if let (Some(listener), true) = (&self.listener, from != to) {
            let open_for = Duration::from_millis(open_for_ms(next.phase, now_ms));
            listener(Transition { from, to, open_for });
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

    /// Where the breaker is.
    pub fn state(&self) -> State {
        state(self.load().phase)
    }

    /// Who decides.
    pub fn mode(&self) -> Mode {
        match self.mode.load(Ordering::Relaxed) {
            1 => Mode::ForcedOpen,
            2 => Mode::ForcedClosed,
            3 => Mode::Shadow,
            _ => Mode::Automatic,
        }
    }

    /// Takes the decision from the breaker, or gives it back; calls under way are not touched.
    pub fn set_mode(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::Relaxed);
    }

    /// Everything an operator wants to see, at one moment.
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        let now_ms = self.millis(now);
        let phase = self.load().phase;
        let (since_ms, consecutive_failures) = match phase {
            Phase::Closed { since_ms, failures } => (since_ms, failures),
            Phase::Open { .. } | Phase::HalfOpen { .. } => (0, 0),
        };
        let counts = self.window.counts(now_ms, since_ms);
        Snapshot {
            state: state(phase),
            mode: self.mode(),
            consecutive_failures,
            window_calls: counts.calls,
            window_failures: counts.marked,
            retry_after_ms: open_for_ms(phase, now_ms),
        }
    }

    /// A peer taken out by hand returns when a person says so: the guess is the shortest rest.
    fn refused_by_hand(&self) -> Refused {
        Refused {
            retry_after: Duration::from_millis(self.settings.open_ms),
        }
    }

    fn millis(&self, now: Instant) -> u64 {
        crate::millis_between(self.born, now)
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
        Phase::Closed { .. } => State::Closed,
        Phase::Open { .. } => State::Open,
        Phase::HalfOpen { .. } => State::HalfOpen,
    }
}

const fn open_for_ms(phase: Phase, now_ms: u64) -> u64 {
    match phase {
        Phase::Open { until_ms, .. } => until_ms.saturating_sub(now_ms),
        Phase::Closed { .. } | Phase::HalfOpen { .. } => 0,
    }
}

/// `SplitMix64`'s finaliser: an even spread from neighbouring generations.
const fn scramble(seed: u64) -> u64 {
    let mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests;
