//! How an adaptive limit moves, and what it owes to the slots that are out. The rules are told in
//! the documentation of the bulkhead.

use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire};

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::settings::{InvalidSetting, require};

/// Whether and how the limit of a [`Bulkhead`](super::Bulkhead) follows losses; off unless asked
/// for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdaptiveSettings {
    /// Whether the limit moves at all, between `min_limit` and `max_in_flight`, where it starts.
    pub enabled: bool,
    /// It falls no lower than this: enough to see that the peer is well again.
    pub min_limit: usize,
    /// What a loss takes off the limit, in percent (Netflix' 0.9).
    pub decrease_percent: u8,
}

impl Default for AdaptiveSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            min_limit: 4,
            decrease_percent: 10,
        }
    }
}

/// The limit, and how it comes about. Slots are permits of a semaphore it is given; a limit that
/// falls while slots are out is owed the difference, and gets it as they come back.
#[derive(Debug)]
pub(super) struct Adaptive {
    bounds: Bounds,
    word: AtomicU64,
}

#[derive(Debug, Clone, Copy)]
struct Bounds {
    min: usize,
    max: usize,
    decrease_percent: usize,
}

impl Adaptive {
    /// `None` when off. The caller has checked that `max_in_flight` is between 1 and 100000.
    pub(super) fn new(
        settings: &AdaptiveSettings,
        max_in_flight: usize,
    ) -> Result<Option<Self>, InvalidSetting> {
        // A default that is not in use must not forbid a small `max_in_flight`.
        if !settings.enabled {
            return Ok(None);
        }
        require(
            (1..=max_in_flight).contains(&settings.min_limit),
            "bulkhead.adaptive.min_limit",
            "be between 1 and `bulkhead.max_in_flight`",
        )?;
        require(
            (1..=50).contains(&settings.decrease_percent),
            "bulkhead.adaptive.decrease_percent",
            "be between 1 and 50",
        )?;
        let state = State {
            limit: max_in_flight,
            debt: 0,
            earned: 0,
            round: 0,
        };
        Ok(Some(Self {
            bounds: Bounds {
                min: settings.min_limit,
                max: max_in_flight,
                decrease_percent: settings.decrease_percent.into(),
            },
            word: AtomicU64::new(state.pack()),
        }))
    }

    pub(super) fn limit(&self) -> usize {
        self.load().limit
    }

    /// The permits there are, free or taken: more than the limit while some are owed.
    pub(super) fn permits(&self) -> usize {
        let State { limit, debt, .. } = self.load();
        limit + debt
    }

    /// To remember with a slot, for [`lost`](Self::lost).
    pub(super) fn round(&self) -> u64 {
        self.load().round
    }

    /// A call ended well while `in_flight` were under way, itself included.
    pub(super) fn done(&self, in_flight: usize, slots: &Semaphore) {
        let (before, after) = self.update(|state| state.after_success(in_flight, self.bounds));
        if after.limit > before.limit {
            slots.add_permits(1);
        }
    }

    /// A call granted in `round` was lost.
    pub(super) fn lost(&self, round: u64, slots: &Semaphore) {
        let (_, after) = self.update(|state| state.after_loss(round, self.bounds));
        // What is free pays first. Slots that came back meanwhile may have paid as well.
        let gone = slots.forget_permits(after.debt);
        let (before, _) = self.update(|state| state.paid(gone));
        slots.add_permits(gone.saturating_sub(before.debt));
    }

    /// Whether the permit of a slot that ends is owed, and must not come back.
    pub(super) fn keeps_one(&self) -> bool {
        self.load().debt > 0 && self.update(|state| state.paid(1)).0.debt > 0
    }

    fn load(&self) -> State {
        State::unpack(self.word.load(Acquire))
    }

    fn update(&self, step: impl Fn(State) -> State) -> (State, State) {
        let mut word = self.word.load(Acquire);
        loop {
            let (before, after) = (State::unpack(word), step(State::unpack(word)));
            if after == before {
                return (before, after);
            }
            match self
                .word
                .compare_exchange_weak(word, after.pack(), AcqRel, Acquire)
            {
                Ok(_) => return (before, after),
                Err(seen) => word = seen,
            }
        }
    }
}

/// One word: round (13 bits) | earned (17) | debt (17) | limit (17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    /// Slots that may be out.
    limit: usize,
    /// Slots out beyond the limit, whose permits are to vanish.
    debt: usize,
    /// Calls that ended well since the limit last moved.
    earned: usize,
    /// Counts decreases, and wraps: a loss from 8192 decreases ago would count.
    round: u64,
}

const BITS: u32 = 17;
const MASK: u64 = (1 << BITS) - 1;
const ROUND_MASK: u64 = u64::MAX >> (3 * BITS);

impl State {
    const fn pack(self) -> u64 {
        let (earned, debt, limit) = (self.earned as u64, self.debt as u64, self.limit as u64);
        (self.round << (3 * BITS)) | (earned << (2 * BITS)) | (debt << BITS) | limit
    }

    const fn unpack(word: u64) -> Self {
        Self {
            limit: (word & MASK) as usize,
            debt: ((word >> BITS) & MASK) as usize,
            earned: ((word >> (2 * BITS)) & MASK) as usize,
            round: word >> (3 * BITS),
        }
    }

    fn after_success(self, in_flight: usize, bounds: Bounds) -> Self {
        if self.limit >= bounds.max || in_flight * 2 < self.limit {
            return self;
        }
        let earned = self.earned + 1;
        if earned < self.limit {
            return Self { earned, ..self };
        }
        Self {
            limit: self.limit + 1,
            earned: 0,
            ..self
        }
    }

    fn after_loss(self, round: u64, bounds: Bounds) -> Self {
        if round != self.round {
            return self;
        }
        // Rounded up, so that a small limit falls as well.
        let less = (self.limit * bounds.decrease_percent).div_ceil(100);
        let limit = self.limit.saturating_sub(less).max(bounds.min);
        Self {
            limit,
            debt: self.debt + (self.limit - limit),
            earned: 0,
            round: (self.round + 1) & ROUND_MASK,
        }
    }

    const fn paid(self, permits: usize) -> Self {
        Self {
            debt: self.debt.saturating_sub(permits),
            ..self
        }
    }
}
