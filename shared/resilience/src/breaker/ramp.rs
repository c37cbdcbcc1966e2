//! Which calls pass while a breaker that has just closed ramps up.
//!
//! A peer that has come back is often cold: empty caches, no connections. All callers at once would
//! take it down again. Envoy's slow start lends its formula: the share that passes is the time since
//! closing over the length of the ramp, a tenth at least.

use std::time::Duration;

use crate::sync::{AtomicU64, Ordering::Relaxed};

/// When a refused call may try again: by then a floor of ten a second has room for one more.
pub(super) const RETRY_AFTER: Duration = Duration::from_millis(100);

/// The whole of a share.
const ONE: u64 = 1 << 32;
/// The share a ramp begins with (Envoy: `min_weight_percent` 10).
const LEAST: u64 = ONE.div_ceil(10);

/// What one call takes from the floor, whose account is kept in thousandths of a call.
const CALL: u64 = 1000;

/// Spreads the calls that pass evenly, without dice, and keeps a floor under them.
#[derive(Debug, Default)]
pub(super) struct Ramp {
    ticket: AtomicU64,
    /// What the floor has given out, on a scale that grows by `per_second` each millisecond.
    given: AtomicU64,
}

impl Ramp {
    /// Whether the next call passes when `share` of all do. At least `per_second` a second pass,
    /// those of the share among them, so that a quiet client is not refused.
    pub(super) fn passes(&self, share: Share, now_ms: u64, per_second: u32) -> bool {
        // Multiples of the golden ratio, whole turns left out, fall evenly into the circle: of any
        // hundred calls in a row the share passes, give or take three.
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let ticket = self.ticket.fetch_add(1, Relaxed);
        let in_share = ticket.wrapping_mul(GOLDEN) >> 32 < share.0;
        let in_floor = self.draw(now_ms, per_second.into());
        in_share || in_floor
    }

    /// Takes one call from the floor, which holds a second's worth at most.
    fn draw(&self, now_ms: u64, per_second: u64) -> bool {
        let earned = now_ms * per_second;
        let oldest = earned.saturating_sub(per_second * CALL);
        let draw = |given: u64| {
            let given = given.max(oldest) + CALL;
            (given <= earned).then_some(given)
        };
        self.given.fetch_update(Relaxed, Relaxed, draw).is_ok()
    }
}

/// The part of all calls that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Share(u64);

impl Share {
    /// The share `elapsed_ms` into a ramp of `ramp_ms`.
    pub(super) fn after(elapsed_ms: u64, ramp_ms: u64) -> Self {
        let elapsed = elapsed_ms.min(ramp_ms);
        Self((elapsed * ONE).div_ceil(ramp_ms.max(1)).max(LEAST))
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most 100")]
    pub(super) fn percent(self) -> u8 {
        (self.0 * 100 / ONE) as u8
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_begins_with_a_tenth_and_grows_with_the_time() {
        let percent = |elapsed_ms| Share::after(elapsed_ms, 10_000).percent();
        assert_eq!(
            [0, 500, 1_000, 2_500, 9_999, 10_000].map(percent),
            [10, 10, 10, 25, 99, 100]
        );
    }

    #[test]
    fn a_client_of_ten_calls_a_second_is_never_refused() {
        let ramp = Ramp::default();
        for second in 5..15 {
            // All ten at once, as a page asks.
            for call in 0..10 {
                assert!(
                    ramp.passes(Share::after(0, 10_000), second * 1_000, 10),
                    "{call}"
                );
            }
        }
    }

    #[test]
    fn a_busy_client_gets_the_share_rather_than_share_and_floor() {
        let ramp = Ramp::default();
        let share = Share::after(3_000, 10_000);
        // A thousand calls a second for ten seconds.
        let passed = (50_000..60_000)
            .filter(|now_ms| ramp.passes(share, *now_ms, 10))
            .count();
        assert!((3_000..3_100).contains(&passed), "{passed}");
    }

    #[test]
    fn without_a_floor_the_share_alone_passes() {
        let ramp = Ramp::default();
        let passed = (0..1_000).filter(|now_ms| ramp.passes(Share::after(0, 1), *now_ms, 0));
        assert!((99..=101).contains(&passed.count()));
    }

    proptest! {
        #[test]
        fn any_hundred_calls_in_a_row_hold_their_share(
            elapsed_ms in 0..=10_000_u64, before in 0..10_000_u64,
        ) {
            let ramp = Ramp::default();
            ramp.ticket.store(before, Relaxed);
            let share = Share::after(elapsed_ms, 10_000);
            let passed = (0..100).filter(|_| ramp.passes(share, 0, 0)).count();
            prop_assert!(passed.abs_diff(share.percent().into()) <= 3, "{passed} of {share:?}");
        }

        #[test]
        fn the_share_never_shrinks(ramp_ms in 1..100_000_u64, times in prop::array::uniform2(0..200_000_u64)) {
            let [first, second] = times;
            let (early, late) = (first.min(second), first.max(second));
            prop_assert!(Share::after(early, ramp_ms) <= Share::after(late, ramp_ms));
        }

        #[test]
        fn the_floor_gives_no_more_than_a_second_ahead(
            per_second in 0..=1_000_u32, pauses in prop::collection::vec(0..300_u64, 1..300),
        ) {
            let ramp = Ramp::default();
            let begun = 100_000;
            let mut now_ms = begun;
            let mut given = 0;
            for pause in pauses {
                now_ms += pause;
                given += u64::from(ramp.draw(now_ms, per_second.into()));
                let most = u64::from(per_second) * (now_ms - begun + 1_000) / 1_000;
                prop_assert!(given <= most, "{given} of {most}");
            }
        }
    }
}
