//! A count over the last seconds, in ten time buckets.
//!
//! Adding costs one atomic add and reading costs ten loads, whatever the traffic: no list of
//! calls, no lock, no sweep. A bucket is one word that names the slice of time it belongs to, so
//! stale buckets fall out by themselves when they are next written or skipped.
//!
//! Whoever needs a share keeps two windows and writes the second for what it singles out, so that
//! the usual call pays for one.

use std::array;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};

/// Buckets per window, as in Polly and linkerd: a count expires within a tenth of the window.
pub(crate) const BUCKETS: u64 = RING as u64;
const RING: usize = 10;

// One bucket: tick (34 bits) | count (30). Ticks of 10 ms last for five years of one process.
const COUNT_BITS: u32 = 30;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const MAX_TICK: u64 = (1 << (u64::BITS - COUNT_BITS)) - 1;
/// Half of what a count can hold, and where it stops: nine million a second for a minute. The other
/// half is room for adds in flight meanwhile.
const FULL: u64 = 1 << (COUNT_BITS - 1);

/// A sliding window. Times are milliseconds since an origin the owner chose.
///
/// Every access is `SeqCst`: of two writers that then read, one at least sees the other, whichever
/// buckets and windows they wrote. A budget depends on it, and common processors charge nothing.
#[derive(Debug)]
pub(crate) struct Window {
    bucket_ms: u64,
    /// 2⁶⁴ over `bucket_ms`, rounded up: to multiply is quicker than to divide.
    per_ms: u64,
    buckets: [AtomicU64; RING],
}

impl Window {
    /// A window of `window_ms`, which should be at least a hundred.
    pub(crate) fn new(window_ms: u64) -> Self {
        let bucket_ms = (window_ms / BUCKETS).max(2);
        Self {
            bucket_ms,
            per_ms: u64::MAX / bucket_ms + 1,
            buckets: Default::default(),
        }
    }

    /// A window of another length that begins with what this one holds at `now_ms`, without
    /// buckets that began before the one of `since_ms`.
    pub(crate) fn resized(&self, window_ms: u64, now_ms: u64, since_ms: u64) -> Self {
        let resized = Self::new(window_ms);
        for (then, count) in self.live(now_ms, since_ms) {
            // The youngest moment the bucket may stand for: what counts now is not forgotten early.
            let then_ms = ((then + 1) * self.bucket_ms - 1).min(now_ms);
            resized.add(then_ms, count);
        }
        resized
    }

    fn tick(&self, at_ms: u64) -> u64 {
        // Exact as long as `at_ms` times `bucket_ms` stays below 2⁶⁴.
        let tick = (u128::from(at_ms) * u128::from(self.per_ms)) >> u64::BITS;
        (tick as u64).min(MAX_TICK)
    }

    fn bucket(&self, tick: u64) -> &AtomicU64 {
        &self.buckets[(tick % BUCKETS) as usize]
    }

    /// Adds `count` to the bucket of `now_ms`.
    pub(crate) fn add(&self, now_ms: u64, count: u64) {
        let tick = self.tick(now_ms);
        let bucket = self.bucket(tick);
        let mut word = bucket.load(SeqCst);
        loop {
            let (held, holds) = unpack(word);
            if held == tick {
                if holds < FULL {
                    bucket.fetch_add(count, SeqCst);
                }
                return;
            }
            if held > tick {
                // Another thread has already moved this bucket on to a later slice.
                return;
            }
            let next = (tick << COUNT_BITS) | count;
            match bucket.compare_exchange_weak(word, next, SeqCst, SeqCst) {
                Ok(_) => return,
                Err(seen) => word = seen,
            }
        }
    }

    /// Takes one back out of the bucket of `then_ms`, if that bucket still stands.
    pub(crate) fn take_back(&self, then_ms: u64) {
        let tick = self.tick(then_ms);
        let one_less = |word| {
            let (held, holds) = unpack(word);
            (held == tick && holds > 0).then(|| word - 1)
        };
        // An error means that the bucket has expired, and what it held with it.
        self.bucket(tick)
            .fetch_update(SeqCst, SeqCst, one_less)
            .ok();
    }

    /// The count of the window that ends at `now_ms`, without buckets that began before the one of
    /// `since_ms`.
    pub(crate) fn count(&self, now_ms: u64, since_ms: u64) -> u64 {
        self.live(now_ms, since_ms).map(|(_, count)| count).sum()
    }

    /// Tick and count of the buckets that count at `now_ms`.
    fn live(&self, now_ms: u64, since_ms: u64) -> impl Iterator<Item = (u64, u64)> {
        let tick = self.tick(now_ms);
        let oldest = (tick + 1).saturating_sub(BUCKETS).max(self.tick(since_ms));
        let all = self
            .buckets
            .iter()
            .map(|bucket| unpack(bucket.load(SeqCst)));
        all.filter(move |(held, _)| (oldest..=tick).contains(held))
    }
}

/// Lanes of a [`Busy`] window: as many threads count without hindering each other.
const LANES: usize = 4;

/// A window that many threads write. Each has a lane on cache lines of its own, for handing one
/// back and forth costs several times the addition; more threads than lanes share them.
#[derive(Debug)]
pub(crate) struct Busy {
    lanes: [Lane; LANES],
}

#[derive(Debug)]
#[repr(align(64))]
struct Lane(Window);

impl Busy {
    /// As [`Window::new`].
    pub(crate) fn new(window_ms: u64) -> Self {
        Self {
            lanes: array::from_fn(|_| Lane(Window::new(window_ms))),
        }
    }

    /// As [`Window::resized`].
    pub(crate) fn resized(&self, window_ms: u64, now_ms: u64, since_ms: u64) -> Self {
        Self {
            lanes: array::from_fn(|lane| {
                let window = &self.lanes[lane].0;
                Lane(window.resized(window_ms, now_ms, since_ms))
            }),
        }
    }

    /// As [`Window::add`], of one.
    pub(crate) fn add_one(&self, now_ms: u64) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static LANE: usize = NEXT.fetch_add(1, Relaxed) % LANES;
        }
        self.lanes[LANE.with(|lane| *lane)].0.add(now_ms, 1);
    }

    /// As [`Window::count`].
    pub(crate) fn count(&self, now_ms: u64, since_ms: u64) -> u64 {
        let counts = self.lanes.iter();
        counts.map(|lane| lane.0.count(now_ms, since_ms)).sum()
    }
}

/// Tick and count of a bucket.
const fn unpack(word: u64) -> (u64, u64) {
    (word >> COUNT_BITS, word & COUNT_MASK)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_tick_is_the_time_over_the_length_of_a_bucket(
            at_ms in 0..1_u64 << 37, window_ms in 20..=600_000_u64,
        ) {
            let window = Window::new(window_ms);
            prop_assert_eq!(window.tick(at_ms), at_ms / (window_ms / 10));
            let turn = at_ms / window.bucket_ms * window.bucket_ms;
            prop_assert_eq!(window.tick(turn), turn / window.bucket_ms);
        }
    }

    #[test]
    fn counts_expire_after_the_window_and_not_before() {
        let window = Window::new(10_000);
        window.add(500, 1);
        window.add(9_999, 1);
        assert_eq!(window.count(9_999, 0), 2);
        assert_eq!(window.count(10_000, 0), 1);
        assert_eq!(window.count(19_000, 0), 0);
    }

    #[test]
    fn a_bucket_written_again_a_window_later_starts_from_nothing() {
        let window = Window::new(10_000);
        window.add(500, 3);
        window.add(10_500, 1);
        assert_eq!(window.count(10_500, 0), 1);
    }

    #[test]
    fn a_late_writer_does_not_spoil_a_newer_bucket() {
        let window = Window::new(10_000);
        window.add(10_500, 1);
        window.add(500, 1);
        assert_eq!(window.count(10_500, 0), 1);
    }

    #[test]
    fn a_window_nobody_used_for_years_counts_again() {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        for idle_days in [1, 98, 194, 400, 1_900] {
            let window = Window::new(100);
            window.add(10, 7);
            window.add(idle_days * DAY_MS, 1);
            assert_eq!(window.count(idle_days * DAY_MS, 0), 1, "{idle_days} days");
        }
    }

    #[test]
    fn what_happened_before_the_given_time_can_be_left_out() {
        let window = Window::new(10_000);
        window.add(500, 1);
        window.add(3_500, 1);
        assert_eq!(window.count(3_600, 3_000), 1);
    }

    #[test]
    fn one_is_taken_back_once_and_never_below_zero() {
        let window = Window::new(10_000);
        window.add(500, 1);
        window.take_back(500);
        window.take_back(500);
        assert_eq!(window.count(500, 0), 0);
        window.add(10_500, 1);
        window.take_back(500);
        assert_eq!(window.count(10_500, 0), 1);
    }

    #[test]
    fn a_million_in_one_bucket_are_counted_one_by_one() {
        let window = Window::new(10_000);
        (0..1_000_000).for_each(|_| window.add(500, 1));
        assert_eq!(window.count(500, 0), 1_000_000);
    }

    #[test]
    fn what_many_threads_count_is_counted_together() {
        let window = Busy::new(10_000);
        std::thread::scope(|scope| {
            for _ in 0..7 {
                scope.spawn(|| (0..1_000).for_each(|_| window.add_one(500)));
            }
        });
        assert_eq!(window.count(500, 0), 7_000);
        assert_eq!(window.resized(60_000, 500, 0).count(500, 0), 7_000);
        assert_eq!(window.count(10_000, 0), 0);
    }

    #[test]
    fn a_full_bucket_stops_and_spoils_nothing() {
        let window = Window::new(10_000);
        window.add(500, FULL);
        window.add(500, 1);
        assert_eq!(window.count(500, 0), FULL);
        assert_eq!(window.count(10_500, 0), 0);
    }

    #[test]
    fn a_window_of_another_length_begins_with_what_counts() {
        let window = Window::new(10_000);
        window.add(500, 1);
        window.add(5_200, 10);
        window.add(9_400, 100);
        for (window_ms, carried) in [(10_000, 111), (60_000, 111), (1_000, 100)] {
            let resized = window.resized(window_ms, 9_900, 0);
            assert_eq!(resized.count(9_900, 0), carried, "{window_ms} ms");
            assert_eq!(resized.count(9_900 + window_ms, 0), 0, "{window_ms} ms");
        }
        assert_eq!(
            window.resized(60_000, 9_900, 6_000).count(9_900, 6_000),
            100
        );
    }
}
