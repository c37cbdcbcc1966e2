//! How long requests took, in a fixed few kilobytes however many there are.
//!
//! Buckets are as wide as a 64th of their value: a percentile is at most 1.6 % too high and never
//! too low.

use std::time::Duration;

const SUB_BITS: u32 = 6;
const SUB_BUCKETS: u64 = 1 << SUB_BITS;

/// Some two minutes; nothing here waits longer.
const MAX_MICROS: u64 = (1 << 27) - 1;
const BUCKETS: usize = bucket(MAX_MICROS) + 1;

/// Durations, counted.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    counts: Box<[u64]>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; BUCKETS].into(),
            total: 0,
        }
    }
}

impl Histogram {
    pub(super) fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(MAX_MICROS);
        self.counts[bucket(micros.min(MAX_MICROS))] += 1;
        self.total += 1;
    }

    /// What `percent` of a hundred did not exceed; `None` when nothing was recorded.
    pub(super) fn percentile(&self, percent: u64) -> Option<Duration> {
        let rank = (self.total * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        found.map(|index| Duration::from_micros(highest(index as u64)))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "under two thousand")]
const fn bucket(micros: u64) -> usize {
    if micros < SUB_BUCKETS {
        return micros as usize;
    }
    let shift = micros.ilog2() - SUB_BITS;
    ((shift as u64) * SUB_BUCKETS + (micros >> shift)) as usize
}

/// The largest value of a bucket.
const fn highest(bucket: u64) -> u64 {
    if bucket < SUB_BUCKETS {
        return bucket;
    }
    let shift = bucket / SUB_BUCKETS - 1;
    ((bucket - shift * SUB_BUCKETS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_a_bucket_that_is_hardly_wider() {
        let mut last = 0;
        for micros in (0..100_000)
            .chain((100_000..MAX_MICROS).step_by(9973))
            .chain([MAX_MICROS])
        {
            let index = bucket(micros);
            assert!(
                index == last || index == last + 1 || micros > 100_000,
                "{micros}"
            );
            last = index;
            let top = highest(index as u64);
            assert!(
                top >= micros && (top - micros) * SUB_BUCKETS <= micros,
                "{micros}: {top}"
            );
        }
        assert_eq!(highest(BUCKETS as u64 - 1), MAX_MICROS);
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(50), None);
        // Below 64 µs each value has a bucket of its own.
        for micros in 1..=20 {
            histogram.record(Duration::from_micros(micros));
        }
        let micros = |percent| histogram.percentile(percent).unwrap().as_micros();
        assert_eq!([50, 95, 99, 100].map(micros), [10, 19, 20, 20]);
    }

    #[test]
    fn what_takes_for_ever_counts_as_two_minutes() {
        let mut histogram = Histogram::default();
        histogram.record(Duration::MAX);
        assert_eq!(
            histogram.percentile(99),
            Some(Duration::from_micros(MAX_MICROS))
        );
    }
}
