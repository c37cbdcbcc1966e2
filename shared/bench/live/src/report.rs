//! What listeners have heard, and how late.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Delays are kept as multiples of this.
const STEP_US: u64 = 10;

/// What some have heard since the last report.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) heard: u64,
    /// Of messages alone, without what frames them.
    pub(crate) bytes: u64,
    /// How many were how late, in [`STEP_US`].
    delays: BTreeMap<u64, u64>,
    /// Why there is no more to hear.
    pub(crate) fault: Option<String>,
}

impl Report {
    pub(crate) fn hear(&mut self, bytes: usize, delay_us: u64) {
        self.heard += 1;
        self.bytes += bytes as u64;
        *self.delays.entry(delay_us / STEP_US).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.heard += other.heard;
        self.bytes += other.bytes;
        for (delay, count) in other.delays {
            *self.delays.entry(delay).or_default() += count;
        }
        self.fault = self.fault.take().or(other.fault);
    }

    /// The delay that so many in a hundred did not exceed, in milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "delays are far below 2^52")]
    pub(crate) fn percentile(&self, percent: u64) -> f64 {
        let wanted = (self.heard * percent).div_ceil(100);
        let mut passed = 0;
        let reached = self.delays.iter().find(|(_, count)| {
            passed += *count;
            passed >= wanted
        });
        reached.map_or(f64::NAN, |(delay, _)| (delay * STEP_US) as f64 / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_in_a_hundred_is_found_across_reports() {
        let mut all = Report::default();
        for delay_ms in 1..=50 {
            all.hear(1, delay_ms * 1_000);
        }
        let mut others = Report::default();
        for delay_ms in 51..=100 {
            others.hear(1, delay_ms * 1_000);
        }
        all.add(others);
        assert_eq!((all.heard, all.bytes), (100, 100));
        assert!((all.percentile(50) - 50.0).abs() < 1e-9);
        assert!((all.percentile(99) - 99.0).abs() < 1e-9);
        assert!((all.percentile(100) - 100.0).abs() < 1e-9);
    }
}
