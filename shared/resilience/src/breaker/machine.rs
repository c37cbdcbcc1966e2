//! The steps of a breaker's state machine: pure functions of the state, the settings and the time.

use super::ramp::Share;
use super::report::Cause;
use super::settings::BreakerSettings;
use super::word::{GENERATION_MASK, Machine, Phase, TRIPS_MASK};

/// What a call that asks to pass gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Passes; nothing changes.
    Pass,
    /// Passes if it is among the share of calls that do.
    Ramp(Share),
    /// Passes as a probe, once the machine has made this step.
    Probe(Step),
    /// Does not pass; worth asking again after so many milliseconds.
    Refuse { retry_after_ms: u64 },
}

/// Where the machine goes, and why if that is another state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) next: Machine,
    pub(super) cause: Option<Cause>,
}

/// What one finished call says about the peer, as the machine sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// The peer works.
    Healthy,
    /// The peer works, but too slowly. It fails a probe and ends a row of failures.
    Slow,
    /// The peer failed.
    Failed,
    /// The peer asked for less. It fails a probe and leaves a row of failures as it is.
    Throttled,
}

impl Machine {
    pub(super) const fn new() -> Self {
        Self {
            generation: 0,
            phase: Phase::Closed {
                since_ms: 0,
                failures: 0,
            },
        }
    }

    /// The same machine, which forgets its trips when it has been healthy for long enough.
    fn matured(self, now_ms: u64, settings: &BreakerSettings) -> Self {
        match self.phase {
            Phase::Recovering {
                since_ms, failures, ..
            } if now_ms >= since_ms.saturating_add(settings.recovery_ms()) => {
                self.with(Phase::Closed { since_ms, failures })
            }
            _ => self,
        }
    }

    /// Whether a call may pass at `now_ms`.
    pub(super) fn admit(self, now_ms: u64, settings: &BreakerSettings) -> Admission {
        let reclaim_ms = now_ms.saturating_add(settings.max_half_open_ms);
        match self.phase {
            Phase::Closed { .. } => Admission::Pass,
            Phase::Recovering { .. } => match self.share(now_ms, settings) {
                Some(share) => Admission::Ramp(share),
                None => Admission::Pass,
            },
            Phase::Open { until_ms, .. } if now_ms < until_ms => Admission::Refuse {
                retry_after_ms: until_ms - now_ms,
            },
            Phase::Open { trips, .. } => {
                let phase = Phase::HalfOpen {
                    reclaim_ms,
                    trips,
                    in_flight: 1,
                    passed: 0,
                };
                Admission::Probe(self.change(phase, Cause::TimeUp))
            }
            Phase::HalfOpen {
                trips,
                in_flight,
                passed,
                ..
            } if in_flight + passed < settings.probes => {
                let phase = Phase::HalfOpen {
                    reclaim_ms,
                    trips,
                    in_flight: in_flight + 1,
                    passed,
                };
                Admission::Probe(Step::silent(self.with(phase)))
            }
            Phase::HalfOpen { reclaim_ms, .. } if now_ms < reclaim_ms => Admission::Refuse {
                retry_after_ms: reclaim_ms - now_ms,
            },
            // The probes in flight are given up for lost; a new generation ignores them.
            Phase::HalfOpen { trips, passed, .. } => {
                let phase = Phase::HalfOpen {
                    reclaim_ms,
                    trips,
                    in_flight: 1,
                    passed,
                };
                Admission::Probe(Step::silent(self.next(phase)))
            }
        }
    }

    /// The share of calls that passes at `now_ms` while it ramps up.
    pub(super) fn share(self, now_ms: u64, settings: &BreakerSettings) -> Option<Share> {
        match self.phase {
            Phase::Recovering { since_ms, .. } => {
                let elapsed_ms = now_ms.saturating_sub(since_ms);
                let ramping = elapsed_ms < settings.ramp_ms;
                ramping.then(|| Share::after(elapsed_ms, settings.ramp_ms))
            }
            _ => None,
        }
    }

    /// Whether it is closed with nothing on record that a healthy call would change.
    pub(super) const fn is_steady(self) -> bool {
        matches!(self.phase, Phase::Closed { failures: 0, .. })
    }

    /// When it closed, while it is closed.
    pub(super) const fn closed_since(self) -> Option<u64> {
        match self.phase {
            Phase::Closed { since_ms, .. } | Phase::Recovering { since_ms, .. } => Some(since_ms),
            Phase::Open { .. } | Phase::HalfOpen { .. } => None,
        }
    }

    /// The step a call of this generation makes as it ends. `tripped` when a share is reached as
    /// well; `seed` decides the jitter.
    pub(super) fn after(
        self,
        finding: Finding,
        tripped: Option<Cause>,
        now_ms: u64,
        settings: &BreakerSettings,
        seed: u64,
    ) -> Step {
        let machine = self.matured(now_ms, settings);
        let open = |trips, cause| machine.open(now_ms, trips, cause, settings, seed);
        match machine.phase {
            Phase::Closed { failures, .. } | Phase::Recovering { failures, .. } => {
                let failures = match finding {
                    Finding::Healthy | Finding::Slow => 0,
                    Finding::Failed => failures.saturating_add(1),
                    Finding::Throttled => failures,
                };
                let row = failures >= settings.consecutive_failures;
                let row = (row && finding == Finding::Failed).then_some(Cause::ConsecutiveFailures);
                match row.or(tripped) {
                    Some(cause) => open(machine.trips(), cause),
                    None => Step::silent(machine.with_failures(failures)),
                }
            }
            Phase::HalfOpen {
                reclaim_ms,
                trips,
                in_flight,
                passed,
            } => match finding {
                Finding::Healthy if passed + 1 >= settings.probes => {
                    let phase = Phase::Recovering {
                        since_ms: now_ms,
                        failures: 0,
                        trips,
                    };
                    machine.change(phase, Cause::ProbesPassed)
                }
                Finding::Healthy => Step::silent(machine.with(Phase::HalfOpen {
                    reclaim_ms,
                    trips,
                    in_flight: in_flight.saturating_sub(1),
                    passed: passed + 1,
                })),
                Finding::Slow | Finding::Failed | Finding::Throttled => {
                    open(machine.trips(), Cause::FailedProbe)
                }
            },
            // Cannot be: no call is granted while open, so none of this generation ends.
            Phase::Open { .. } => Step::silent(machine),
        }
    }

    /// The machine after a probe of this generation was dropped without a verdict.
    pub(super) fn after_abandoned_probe(mut self) -> Self {
        if let Phase::HalfOpen { in_flight, .. } = &mut self.phase {
            *in_flight = in_flight.saturating_sub(1);
        }
        self
    }

    /// The machine under other settings. What probes are still to say is not known to it, so a
    /// half-open one goes back to be asked anew, at once.
    pub(super) fn under(self, now_ms: u64, settings: &BreakerSettings) -> Self {
        match self.phase {
            Phase::HalfOpen { trips, .. } => self.next(Phase::Open {
                until_ms: now_ms,
                trips,
            }),
            Phase::Open { until_ms, trips } => self.with(Phase::Open {
                until_ms: until_ms.min(now_ms.saturating_add(settings.max_open_ms)),
                trips,
            }),
            Phase::Closed { .. } | Phase::Recovering { .. } => self,
        }
    }

    /// How often it will have opened again, should it open now.
    fn trips(self) -> u8 {
        match self.phase {
            Phase::Closed { .. } => 0,
            Phase::Recovering { trips, .. }
            | Phase::Open { trips, .. }
            | Phase::HalfOpen { trips, .. } => trips.saturating_add(1).min(TRIPS_MASK),
        }
    }

    /// Equal jitter (Finagle): half of the length is certain, half is drawn.
    fn open(
        self,
        now_ms: u64,
        trips: u8,
        cause: Cause,
        settings: &BreakerSettings,
        seed: u64,
    ) -> Step {
        let doubled = settings.open_ms.saturating_mul(1 << trips);
        let length = doubled.min(settings.max_open_ms);
        let dice = scramble(seed ^ u64::from(self.generation));
        let drawn = dice % (length - length / 2 + 1);
        let until_ms = now_ms.saturating_add(length / 2 + drawn);
        self.change(Phase::Open { until_ms, trips }, cause)
    }

    fn change(self, phase: Phase, cause: Cause) -> Step {
        Step {
            next: self.next(phase),
            cause: Some(cause),
        }
    }

    fn next(self, phase: Phase) -> Self {
        Self {
            generation: (self.generation + 1) & GENERATION_MASK,
            phase,
        }
    }

    const fn with(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }

    fn with_failures(mut self, count: u8) -> Self {
        if let Phase::Closed { failures, .. } | Phase::Recovering { failures, .. } = &mut self.phase
        {
            *failures = count;
        }
        self
    }
}

impl Step {
    const fn silent(next: Machine) -> Self {
        Self { next, cause: None }
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_open_for_half_to_all_of_a_length_that_doubles_to_the_cap(
            trips in 0..=TRIPS_MASK, seed: u64, now_ms in 0..1_000_000_u64,
        ) {
            let settings = BreakerSettings::default();
            let step = Machine::new().open(now_ms, trips, Cause::FailedProbe, &settings, seed);
            let Phase::Open { until_ms, .. } = step.next.phase else { panic!("{step:?}") };
            let length = (5_000_u64 << trips).min(60_000);
            prop_assert!((length / 2..=length).contains(&(until_ms - now_ms)));
        }
    }
}
