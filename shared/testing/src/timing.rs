//! Whether two requests can be told apart by the time they take: a rank test, no limit in
//! milliseconds.
//!
//! Mann and Whitney's U asks whether one of two samples tends to be larger. It knows no unit and
//! no distribution, so it holds on a loaded machine as on an idle one: what slows both alike
//! changes nothing, and a single hiccup weighs one rank.
//!
//! ```
//! # use lyceum_testing::timing::Samples;
//! let quick: Vec<f64> = (0..100).map(f64::from).collect();
//! let slow: Vec<f64> = (0..100).map(|n| f64::from(n) + 50.0).collect();
//! assert!(Samples::of(quick, slow).differ());
//! ```

use std::time::Instant;

/// How far from its mean, in standard deviations, U is before two samples count as different:
/// both sides of the normal distribution beyond it hold one ten-thousandth. That is how often a
/// test fails though nothing is wrong.
const BEYOND_CHANCE: f64 = 3.890_592;

/// Rounds before those that count: connections, caches and pages of memory are there then.
const WARM_UP: usize = 5;

/// What two things took, in whatever unit.
#[derive(Debug, Clone)]
pub struct Samples {
    one: Vec<f64>,
    other: Vec<f64>,
}

impl Samples {
    /// Samples taken elsewhere; the test is made for 20 or more of each.
    pub fn of(one: Vec<f64>, other: Vec<f64>) -> Self {
        Self { one, other }
    }

    /// Times `rounds` runs of each, in turns, so that whatever slows the machine slows both: one,
    /// other, other, one.
    pub async fn take(
        rounds: usize,
        mut one: impl AsyncFnMut(),
        mut other: impl AsyncFnMut(),
    ) -> Self {
        let mut taken = Self::of(Vec::new(), Vec::new());
        for round in 0..rounds + WARM_UP {
            let (first, second) = if round % 2 == 0 {
                let first = timed(&mut one).await;
                (first, timed(&mut other).await)
            } else {
                let second = timed(&mut other).await;
                (timed(&mut one).await, second)
            };
            if round >= WARM_UP {
                taken.one.push(first);
                taken.other.push(second);
            }
        }
        taken
    }

    /// Whether they differ beyond chance; of ten thousand pairs that do not, one seems to.
    pub fn differ(&self) -> bool {
        self.z().abs() > BEYOND_CHANCE
    }

    /// They take the same time, as far as these samples tell.
    ///
    /// # Panics
    /// When they differ beyond chance: with both medians, in seconds.
    pub fn assert_alike(&self) {
        assert!(
            !self.differ(),
            "told apart by their time: medians {:.6} and {:.6}, z = {:.2}",
            median(&self.one),
            median(&self.other),
            self.z()
        );
    }

    /// U as its distance from the mean in standard deviations, corrected for ties and for
    /// continuity; positive when the first is larger.
    fn z(&self) -> f64 {
        let (ones, others) = (count(&self.one), count(&self.other));
        let all = ones + others;
        let (rank_sum, ties) = self.rank_sum();
        let u = rank_sum - ones * (ones + 1.0) / 2.0;
        let off = u - ones * others / 2.0;
        let variance = ones * others / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
        if variance <= 0.0 {
            return 0.0;
        }
        off.signum() * (off.abs() - 0.5).max(0.0) / variance.sqrt()
    }

    /// Sum of the ranks of the first sample, and of t³ - t over the ties.
    fn rank_sum(&self) -> (f64, f64) {
        let ones = self.one.iter().map(|value| (*value, true));
        let others = self.other.iter().map(|value| (*value, false));
        let mut all: Vec<(f64, bool)> = ones.chain(others).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut sum, mut ties, mut below) = (0.0, 0.0, 0.0);
        for tied in all.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
            let size = count(tied);
            let rank = below + f64::midpoint(size, 1.0);
            sum += rank * count(tied.iter().filter(|(_, is_one)| *is_one));
            ties += size.powi(3) - size;
            below += size;
        }
        (sum, ties)
    }
}

/// Samples taken side by side, as one.
impl FromIterator<Samples> for Samples {
    fn from_iter<T: IntoIterator<Item = Self>>(parts: T) -> Self {
        let mut whole = Self::of(Vec::new(), Vec::new());
        for part in parts {
            whole.one.extend(part.one);
            whole.other.extend(part.other);
        }
        whole
    }
}

async fn timed(run: &mut impl AsyncFnMut()) -> f64 {
    let began = Instant::now();
    run().await;
    began.elapsed().as_secs_f64()
}

fn count<T>(things: impl IntoIterator<Item = T>) -> f64 {
    things.into_iter().fold(0.0, |count, _| count + 1.0)
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    /// Times as a service has them: a floor and a long tail.
    fn times(random: &mut StdRng, count: usize, shift: f64) -> Vec<f64> {
        let one = |_| shift + 1.0 - 0.2 * (1.0 - random.random::<f64>()).ln();
        (0..count).map(one).collect()
    }

    #[test]
    fn u_and_its_ties_are_those_of_the_textbook() {
        // Hollander and Wolfe's permeability of the placenta: U = 35 of 50.
        let term = vec![0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
        let early = vec![1.15, 0.88, 0.90, 0.74, 1.21];
        let samples = Samples::of(term, early);
        assert!((samples.rank_sum().0 - 55.0 - 35.0).abs() < 1e-9);
        let expected = 9.5 / (50.0 * 16.0 / 12.0_f64).sqrt();
        assert!((samples.z() - expected).abs() < 1e-9, "{}", samples.z());
        // Ranks 1.5, 1.5, 3.5 against 3.5, 5.
        let tied = Samples::of(vec![1.0, 1.0, 2.0], vec![2.0, 3.0]);
        let (sum, ties) = tied.rank_sum();
        assert!((sum - 6.5).abs() < 1e-9 && (ties - 12.0).abs() < 1e-9);
        let same = Samples::of(vec![1.0; 30], vec![1.0; 30]);
        assert!(same.z().abs() < 1e-9);
    }

    #[test]
    fn what_is_alike_seems_to_differ_no_more_often_than_chance_has_it() {
        let mut random = StdRng::seed_from_u64(42);
        let beyond = |limit: f64, random: &mut StdRng| {
            let runs = (0..4_000).filter(|_| {
                let (one, other) = (times(random, 40, 0.0), times(random, 40, 0.0));
                Samples::of(one, other).z().abs() > limit
            });
            runs.count()
        };
        // One in a hundred is beyond 2.576 standard deviations: 40 of 4000, give or take 4 × √40.
        let alarms = beyond(2.576, &mut random);
        assert!((15..=65).contains(&alarms), "{alarms}");
        let alarms = beyond(BEYOND_CHANCE, &mut random);
        assert!(alarms <= 4, "{alarms}");
    }

    #[test]
    fn a_difference_of_a_tenth_is_found_in_150_samples() {
        let mut random = StdRng::seed_from_u64(42);
        let missed = (0..200).filter(|_| {
            let (one, other) = (times(&mut random, 150, 0.0), times(&mut random, 150, 0.1));
            !Samples::of(one, other).differ()
        });
        assert!(missed.count() <= 10);
    }
}
