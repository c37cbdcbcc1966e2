//! The state machine of a breaker: pure, and small enough for one atomic word.
//!
//! Everything a decision needs is in [`Machine`], which packs into 64 bits. A transition is
//! therefore one compare-and-swap: no two threads can see half of it, and of two that want the
//! same one, one makes it. Each transition begins a new *generation*; a result that belongs to an
//! older one is ignored.

use super::settings::BreakerSettings;

/// Highest count of failures in a row the word can hold.
pub(super) const MAX_FAILURES: u8 = u8::MAX;
/// Highest number of probes the word can hold.
pub(super) const MAX_PROBES: u8 = 7;

const GENERATION_MASK: u16 = (1 << 14) - 1;
/// 38 bits of milliseconds: 8.7 years of one process.
const MILLIS_MASK: u64 = (1 << 38) - 1;
const TRIPS_MASK: u8 = 15;

/// The whole state. Times are milliseconds since the breaker was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Machine {
    /// Counts transitions, modulo 2¹⁴; a permit remembers the one it was granted in.
    pub(super) generation: u16,
    pub(super) phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Calls pass. `failures` in a row so far; the window counts from `since_ms`.
    Closed { since_ms: u64, failures: u8 },
    /// Nothing passes until `until_ms`. `trips` failed rounds of probes before this one.
    Open { until_ms: u64, trips: u8 },
    /// Probes pass. Places of those that do not come back are free again at `reclaim_ms`.
    HalfOpen {
        reclaim_ms: u64,
        trips: u8,
        in_flight: u8,
        passed: u8,
    },
}

/// What a call that asks to pass gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Passes; nothing changes.
    Pass,
    /// Passes as a probe, once the machine has become this.
    Probe(Machine),
    /// Does not pass; worth asking again after so many milliseconds.
    Refuse { retry_after_ms: u64 },
}

/// What one finished call says about the peer, as the machine sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// The peer works.
    Healthy,
    /// The peer failed; `tripped` when the window's share is reached as well.
    Failed { tripped: bool },
    /// The peer asked for less. It fails a probe and counts in the share, not in the row.
    Throttled { tripped: bool },
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

    /// Whether a call may pass at `now_ms`.
    pub(super) fn admit(self, now_ms: u64, settings: &BreakerSettings) -> Admission {
        let reclaim_ms = now_ms.saturating_add(settings.max_half_open_ms);
        match self.phase {
            Phase::Closed { .. } => Admission::Pass,
            Phase::Open { until_ms, .. } if now_ms < until_ms => Admission::Refuse {
                retry_after_ms: until_ms - now_ms,
            },
            Phase::Open { trips, .. } => Admission::Probe(self.next(Phase::HalfOpen {
                reclaim_ms,
                trips,
                in_flight: 1,
                passed: 0,
            })),
            Phase::HalfOpen {
                trips,
                in_flight,
                passed,
                ..
            } if in_flight + passed < settings.probes => {
                let in_flight = in_flight + 1;
                let phase = Phase::HalfOpen {
                    reclaim_ms,
                    trips,
                    in_flight,
                    passed,
                };
                Admission::Probe(Self { phase, ..self })
            }
            Phase::HalfOpen { reclaim_ms, .. } if now_ms < reclaim_ms => Admission::Refuse {
                retry_after_ms: reclaim_ms - now_ms,
            },
            // The probes in flight are given up for lost; a new generation ignores them.
            Phase::HalfOpen { trips, passed, .. } => Admission::Probe(self.next(Phase::HalfOpen {
                reclaim_ms,
                trips,
                in_flight: 1,
                passed,
            })),
        }
    }

    /// The machine after a call of this generation has ended. `dice` decides the jitter.
    pub(super) fn after(
        self,
        finding: Finding,
        now_ms: u64,
        settings: &BreakerSettings,
        dice: u64,
    ) -> Self {
        match (self.phase, finding) {
            (Phase::Closed { since_ms, .. }, Finding::Healthy) => Self {
                phase: Phase::Closed {
                    since_ms,
                    failures: 0,
                },
                ..self
            },
            (Phase::Closed { since_ms, failures }, Finding::Failed { tripped }) => {
                let failures = failures.saturating_add(1);
                if tripped || failures >= settings.consecutive_failures {
                    self.open(now_ms, 0, settings, dice)
                } else {
                    Self {
                        phase: Phase::Closed { since_ms, failures },
                        ..self
                    }
                }
            }
            (Phase::Closed { .. }, Finding::Throttled { tripped: true }) => {
                self.open(now_ms, 0, settings, dice)
            }
            (
                Phase::HalfOpen {
                    reclaim_ms,
                    trips,
                    in_flight,
                    passed,
                },
                Finding::Healthy,
            ) => {
                let passed = passed + 1;
                if passed >= settings.probes {
                    self.next(Phase::Closed {
                        since_ms: now_ms,
                        failures: 0,
                    })
                } else {
                    let in_flight = in_flight.saturating_sub(1);
                    let phase = Phase::HalfOpen {
                        reclaim_ms,
                        trips,
                        in_flight,
                        passed,
                    };
                    Self { phase, ..self }
                }
            }
            (Phase::HalfOpen { trips, .. }, Finding::Failed { .. } | Finding::Throttled { .. }) => {
                self.open(
                    now_ms,
                    trips.saturating_add(1).min(TRIPS_MASK),
                    settings,
                    dice,
                )
            }
            // The last cannot be: no call is granted while open, so none of this generation ends.
            (Phase::Closed { .. }, Finding::Throttled { tripped: false })
            | (Phase::Open { .. }, _) => self,
        }
    }

    /// The machine after a probe of this generation was dropped without a verdict.
    pub(super) fn after_abandoned_probe(self) -> Self {
        match self.phase {
            Phase::HalfOpen {
                reclaim_ms,
                trips,
                in_flight,
                passed,
            } => {
                let in_flight = in_flight.saturating_sub(1);
                Self {
                    phase: Phase::HalfOpen {
                        reclaim_ms,
                        trips,
                        in_flight,
                        passed,
                    },
                    ..self
                }
            }
            Phase::Closed { .. } | Phase::Open { .. } => self,
        }
    }

    /// Equal jitter (Finagle): half of the length is certain, half is drawn.
    fn open(self, now_ms: u64, trips: u8, settings: &BreakerSettings, dice: u64) -> Self {
        let doubled = settings.open_ms.saturating_mul(1 << trips);
        let length = doubled.min(settings.max_open_ms);
        let drawn = dice % (length - length / 2 + 1);
        let until_ms = now_ms.saturating_add(length / 2 + drawn);
        self.next(Phase::Open { until_ms, trips })
    }

    fn next(self, phase: Phase) -> Self {
        Self {
            generation: (self.generation + 1) & GENERATION_MASK,
            phase,
        }
    }

    // generation 14 | phase 2 | milliseconds 38 | 10 bits of the phase's own
    pub(super) fn pack(self) -> u64 {
        let (phase, millis, rest) = match self.phase {
            Phase::Closed { since_ms, failures } => (0, since_ms, u64::from(failures)),
            Phase::Open { until_ms, trips } => (1, until_ms, u64::from(trips)),
            Phase::HalfOpen {
                reclaim_ms,
                trips,
                in_flight,
                passed,
            } => {
                let probes = (u64::from(in_flight) << 3) | u64::from(passed);
                (2, reclaim_ms, (u64::from(trips) << 6) | probes)
            }
        };
        let millis = millis.min(MILLIS_MASK);
        (u64::from(self.generation) << 50) | (phase << 48) | (millis << 10) | rest
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "each field is masked to its width"
    )]
    pub(super) fn unpack(word: u64) -> Self {
        let millis = (word >> 10) & MILLIS_MASK;
        let phase = match (word >> 48) & 3 {
            0 => Phase::Closed {
                since_ms: millis,
                failures: word as u8,
            },
            1 => Phase::Open {
                until_ms: millis,
                trips: word as u8 & TRIPS_MASK,
            },
            _ => Phase::HalfOpen {
                reclaim_ms: millis,
                trips: (word >> 6) as u8 & TRIPS_MASK,
                in_flight: (word >> 3) as u8 & MAX_PROBES,
                passed: word as u8 & MAX_PROBES,
            },
        };
        Self {
            generation: (word >> 50) as u16,
            phase,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn phases() -> impl Strategy<Value = Phase> {
        let millis = 0..=MILLIS_MASK;
        prop_oneof![
            (millis.clone(), any::<u8>())
                .prop_map(|(since_ms, failures)| Phase::Closed { since_ms, failures }),
            (millis.clone(), 0..=TRIPS_MASK)
                .prop_map(|(until_ms, trips)| Phase::Open { until_ms, trips }),
            (millis, 0..=TRIPS_MASK, 0..=MAX_PROBES, 0..=MAX_PROBES).prop_map(
                |(reclaim_ms, trips, in_flight, passed)| Phase::HalfOpen {
                    reclaim_ms,
                    trips,
                    in_flight,
                    passed
                }
            ),
        ]
    }

    proptest! {
        #[test]
        fn the_whole_state_survives_its_word(phase in phases(), generation in 0..=GENERATION_MASK) {
            let machine = Machine { generation, phase };
            prop_assert_eq!(Machine::unpack(machine.pack()), machine);
        }

        #[test]
        fn it_is_open_for_half_to_all_of_a_length_that_doubles_to_the_cap(
            trips in 0..=TRIPS_MASK, dice: u64, now_ms in 0..1_000_000_u64,
        ) {
            let settings = BreakerSettings::default();
            let machine = Machine::new().open(now_ms, trips, &settings, dice);
            let Phase::Open { until_ms, .. } = machine.phase else { panic!("{machine:?}") };
            let length = (5_000_u64 << trips).min(60_000);
            prop_assert!((length / 2..=length).contains(&(until_ms - now_ms)));
        }
    }
}
