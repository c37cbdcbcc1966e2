//! The state of a breaker, small enough for one atomic word.
//!
//! Everything a decision needs is in [`Machine`], which packs into 64 bits. A transition is
//! therefore one compare-and-swap: no two threads can see half of it, and of two that want the
//! same one, one makes it. Each transition begins a new *generation*; a result that belongs to an
//! older one is ignored.

/// Highest count of failures in a row the word can hold.
pub(super) const MAX_FAILURES: u8 = u8::MAX;
/// Highest number of probes the word can hold.
pub(super) const MAX_PROBES: u8 = 7;

pub(super) const GENERATION_MASK: u16 = (1 << 13) - 1;
/// 37 bits of milliseconds: 4.3 years of one process.
const MILLIS_MASK: u64 = (1 << 37) - 1;
pub(super) const TRIPS_MASK: u8 = 15;

/// The whole state. Times are milliseconds since the breaker was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Machine {
    /// Counts transitions, modulo 2¹³; a permit remembers the one it was granted in.
    pub(super) generation: u16,
    pub(super) phase: Phase,
}

/// `trips` counts how often it opened again before it was healthy for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Calls pass. `failures` in a row so far; the window counts from `since_ms`.
    Closed { since_ms: u64, failures: u8 },
    /// Closed since `since_ms`, but not for long: the ramp decides which calls pass.
    Recovering {
        since_ms: u64,
        failures: u8,
        trips: u8,
    },
    /// Nothing passes until `until_ms`.
    Open { until_ms: u64, trips: u8 },
    /// Probes pass. Places of those that do not come back are free again at `reclaim_ms`.
    HalfOpen {
        reclaim_ms: u64,
        trips: u8,
        in_flight: u8,
        passed: u8,
    },
}

impl Machine {
    // generation 13 bits | phase 2 | milliseconds 37 | 12 bits of the phase's own
    pub(super) fn pack(self) -> u64 {
        let (phase, millis, rest) = match self.phase {
            Phase::Closed { since_ms, failures } => (0, since_ms, u64::from(failures)),
            Phase::Open { until_ms, trips } => (1, until_ms, u64::from(trips) << 8),
            Phase::HalfOpen {
                reclaim_ms,
                trips,
                in_flight,
                passed,
            } => {
                let probes = (u64::from(in_flight) << 3) | u64::from(passed);
                (2, reclaim_ms, (u64::from(trips) << 8) | probes)
            }
            Phase::Recovering {
                since_ms,
                failures,
                trips,
            } => (3, since_ms, (u64::from(trips) << 8) | u64::from(failures)),
        };
        let millis = millis.min(MILLIS_MASK);
        (u64::from(self.generation) << 51) | (phase << 49) | (millis << 12) | rest
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "each field is masked to its width"
    )]
    pub(super) fn unpack(word: u64) -> Self {
        let millis = (word >> 12) & MILLIS_MASK;
        let trips = (word >> 8) as u8 & TRIPS_MASK;
        let phase = match (word >> 49) & 3 {
            0 => Phase::Closed {
                since_ms: millis,
                failures: word as u8,
            },
            1 => Phase::Open {
                until_ms: millis,
                trips,
            },
            2 => Phase::HalfOpen {
                reclaim_ms: millis,
                trips,
                in_flight: (word >> 3) as u8 & MAX_PROBES,
                passed: word as u8 & MAX_PROBES,
            },
            _ => Phase::Recovering {
                since_ms: millis,
                failures: word as u8,
                trips,
            },
        };
        Self {
            generation: (word >> 51) as u16,
            phase,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn phases() -> impl Strategy<Value = Phase> {
        let millis = 0..=MILLIS_MASK;
        prop_oneof![
            (millis.clone(), any::<u8>())
                .prop_map(|(since_ms, failures)| Phase::Closed { since_ms, failures }),
            (millis.clone(), any::<u8>(), 0..=TRIPS_MASK).prop_map(
                |(since_ms, failures, trips)| Phase::Recovering {
                    since_ms,
                    failures,
                    trips
                }
            ),
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
    }
}
