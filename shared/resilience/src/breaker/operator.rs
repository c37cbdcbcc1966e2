//! What an operator sees of a breaker and does to it.

use super::ramp::{Ramp, Share};
use super::report::{Mode, Snapshot, State};
use super::settings::BreakerSettings;
use super::word::Phase;
use super::{Breaker, open_for_ms, state};
use crate::deadline::Instant;
use crate::settings::InvalidSetting;
use crate::sync::{AtomicU8, AtomicU64, Ordering};

impl Breaker {
    /// Where the breaker is.
    pub fn state(&self) -> State {
        state(self.load().phase)
    }

    /// Who decides.
    pub fn mode(&self) -> Mode {
        Mode::of(self.mode.load(Ordering::Relaxed))
    }

    /// Takes the decision from the breaker, or gives it back ([`Mode::Automatic`]): it goes on
    /// where it was left. Calls under way are not touched. Says who decided until now; whoever
    /// changes it knows why, so it is theirs to tell, not the listener's.
    pub fn set_mode(&self, mode: Mode) -> Mode {
        Mode::of(self.mode.swap(mode as u8, Ordering::Relaxed))
    }

    /// Everything an operator wants to see, at one moment.
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        let now_ms = self.millis(now);
        let machine = self.load();
        let consecutive_failures = match machine.phase {
            Phase::Closed { failures, .. } | Phase::Recovering { failures, .. } => failures,
            Phase::Open { .. } | Phase::HalfOpen { .. } => 0,
        };
        let since_ms = machine.closed_since().unwrap_or_default();
        let counts = self.tally.counts(now_ms, since_ms);
        let share = machine.share(now_ms, &self.settings);
        Snapshot {
            state: state(machine.phase),
            mode: self.mode(),
            consecutive_failures,
            window_calls: counts.calls,
            window_failures: counts.failures,
            window_slow: counts.slow,
            retry_after_ms: open_for_ms(machine.phase, now_ms),
            ramping_percent: share.map(Share::percent),
        }
    }

    /// A breaker with other settings that goes on where this one is: same state, mode and counts,
    /// except that a half-open one asks for all its probes anew. Calls under way still report to
    /// this one. The listener is not taken over: pass it to [`on_transition`](Self::on_transition).
    pub fn succeed(
        &self,
        settings: &BreakerSettings,
        now: Instant,
    ) -> Result<Self, InvalidSetting> {
        settings.validate()?;
        let now_ms = self.millis(now);
        let machine = self.load();
        let since_ms = machine.closed_since().unwrap_or(now_ms);
        Ok(Self {
            settings: *settings,
            born: self.born,
            seed: self.seed,
            word: AtomicU64::new(machine.under(now_ms, settings).pack()),
            mode: AtomicU8::new(self.mode() as u8),
            tally: self.tally.resized(settings.window_ms, now_ms, since_ms),
            ramp: Ramp::default(),
            listener: None,
        })
    }
}
