//! Two counts over the last seconds, in ten time buckets.
//!
//! Adding costs one atomic add and reading costs ten loads, whatever the traffic: no list of
//! calls, no lock, no sweep. A bucket is one word that names the slice of time it belongs to, so
//! stale buckets fall out by themselves when they are next written or skipped.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Buckets per window, as in Polly and linkerd: a count expires within a tenth of the window.
pub(crate) const BUCKETS: u64 = RING as u64;
const RING: usize = 10;

// One bucket: tick (24 bits) | calls (20) | marked (20).
const COUNT_BITS: u32 = 20;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const TICK_MASK: u64 = (1 << 24) - 1;
/// Half of what a count can hold: reaching it halves both counts, which keeps their ratio. The
/// other half is room for adds in flight meanwhile.
const FULL: u64 = 1 << (COUNT_BITS - 1);

/// A bucket found this many slices ahead of its writer was moved on by another thread meanwhile; one
/// that seems further ahead is an old one whose tick has wrapped.
const LATE: u64 = 1 << 10;

/// How often things happened in the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// All calls.
    pub(crate) calls: u64,
    /// Those singled out: failures for a breaker, repeats for a budget.
    pub(crate) marked: u64,
}

impl Counts {
    fn unpack(word: u64) -> Self {
        Self {
            calls: (word >> COUNT_BITS) & COUNT_MASK,
            marked: word & COUNT_MASK,
        }
    }

    fn pack(self) -> u64 {
        (self.calls << COUNT_BITS) | self.marked
    }
}

/// A sliding window. Times are milliseconds since an origin the owner chose.
#[derive(Debug)]
pub(crate) struct Window {
    bucket_ms: u64,
    buckets: [AtomicU64; RING],
}

impl Window {
    /// A window of `window_ms`, which must be at least [`BUCKETS`].
    pub(crate) fn new(window_ms: u64) -> Self {
        Self {
            bucket_ms: (window_ms / BUCKETS).max(1),
            buckets: Default::default(),
        }
    }

    fn bucket(&self, tick: u64) -> &AtomicU64 {
        &self.buckets[(tick % BUCKETS) as usize]
    }

    /// Adds `counts` to the bucket of `now_ms`.
    pub(crate) fn add(&self, now_ms: u64, counts: Counts) {
        let tick = now_ms / self.bucket_ms;
        let bucket = self.bucket(tick);
        let mut word = bucket.load(Relaxed);
        loop {
            let age = age(tick, word);
            if age > TICK_MASK - LATE {
                // Another thread has already moved this bucket on to a later slice.
                return;
            }
            let held = if age == 0 {
                Counts::unpack(word)
            } else {
                Counts::default()
            };
            let full = held.calls >= FULL || held.marked >= FULL;
            if age == 0 && !full {
                bucket.fetch_add(counts.pack(), Relaxed);
                return;
            }
            let shift = u32::from(full);
            let next = Counts {
                calls: (held.calls >> shift) + counts.calls,
                marked: (held.marked >> shift) + counts.marked,
            };
            let next = ((tick & TICK_MASK) << (2 * COUNT_BITS)) | next.pack();
            match bucket.compare_exchange_weak(word, next, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(seen) => word = seen,
            }
        }
    }

    /// Takes one mark back out of the bucket of `then_ms`, if that bucket still stands.
    pub(crate) fn unmark(&self, then_ms: u64) {
        let tick = then_ms / self.bucket_ms;
        let unmarked =
            |word: u64| (age(tick, word) == 0 && Counts::unpack(word).marked > 0).then(|| word - 1);
        // An error means that the bucket has expired, and the mark with it.
        self.bucket(tick)
            .fetch_update(Relaxed, Relaxed, unmarked)
            .ok();
    }

    /// The counts of the window that ends at `now_ms`, without buckets that began before the one
    /// of `since_ms`.
    pub(crate) fn counts(&self, now_ms: u64, since_ms: u64) -> Counts {
        let tick = now_ms / self.bucket_ms;
        let reach = BUCKETS.min(tick.saturating_sub(since_ms / self.bucket_ms) + 1);
        let live = self.buckets.iter().map(|bucket| bucket.load(Relaxed));
        live.filter(|word| age(tick, *word) < reach)
            .map(Counts::unpack)
            .fold(Counts::default(), |sum, counts| Counts {
                calls: sum.calls + counts.calls,
                marked: sum.marked + counts.marked,
            })
    }
}

/// How many slices before `tick` the bucket's own slice lies; later ones wrap to huge ages.
fn age(tick: u64, word: u64) -> u64 {
    tick.wrapping_sub(word >> (2 * COUNT_BITS)) & TICK_MASK
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Counts = Counts {
        calls: 1,
        marked: 0,
    };
    const MARKED: Counts = Counts {
        calls: 1,
        marked: 1,
    };

    #[test]
    fn counts_expire_after_the_window_and_not_before() {
        let window = Window::new(10_000);
        window.add(500, MARKED);
        window.add(9_999, CALL);
        assert_eq!(
            window.counts(9_999, 0),
            Counts {
                calls: 2,
                marked: 1
            }
        );
        assert_eq!(
            window.counts(10_000, 0),
            Counts {
                calls: 1,
                marked: 0
            }
        );
        assert_eq!(window.counts(19_000, 0), Counts::default());
    }

    #[test]
    fn a_bucket_written_again_a_window_later_starts_from_nothing() {
        let window = Window::new(10_000);
        window.add(500, MARKED);
        window.add(10_500, CALL);
        assert_eq!(window.counts(10_500, 0), CALL);
    }

    #[test]
    fn a_late_writer_does_not_spoil_a_newer_bucket() {
        let window = Window::new(10_000);
        window.add(10_500, MARKED);
        window.add(500, CALL);
        assert_eq!(window.counts(10_500, 0), MARKED);
    }

    #[test]
    fn a_window_nobody_used_for_months_counts_again() {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        for idle_days in [1, 98, 150, 190] {
            let window = Window::new(10_000);
            window.add(idle_days * DAY_MS, MARKED);
            assert_eq!(
                window.counts(idle_days * DAY_MS, 0),
                MARKED,
                "{idle_days} days"
            );
        }
    }

    #[test]
    fn what_happened_before_the_given_time_can_be_left_out() {
        let window = Window::new(10_000);
        window.add(500, MARKED);
        window.add(3_500, CALL);
        assert_eq!(window.counts(3_600, 3_000), CALL);
    }

    #[test]
    fn a_mark_is_taken_back_once_and_never_below_zero() {
        let window = Window::new(10_000);
        window.add(500, MARKED);
        window.unmark(500);
        window.unmark(500);
        assert_eq!(window.counts(500, 0), CALL);
        window.add(10_500, MARKED);
        window.unmark(500);
        assert_eq!(window.counts(10_500, 0), MARKED);
    }

    #[test]
    fn an_overfull_bucket_keeps_its_ratio() {
        let window = Window::new(10_000);
        for turn in 0..2_000_000_u64 {
            window.add(500, if turn % 4 == 0 { MARKED } else { CALL });
        }
        let Counts { calls, marked } = window.counts(500, 0);
        assert!(calls > FULL / 2);
        assert!(
            (calls / 4).abs_diff(marked) < calls / 1000,
            "{marked} of {calls}"
        );
    }
}
