//! When to ask a second time because the first answer is unusually late.
//!
//! The wait before the second request is the latency that all but
//! [`max_extra_percent`](HedgeSettings::max_extra_percent) of the recent calls stayed below, so
//! that no more than that share of the calls is asked twice, whatever the peer's latency is today
//! (Finagle's backup requests; Dean and Barroso, "The Tail at Scale"). What a hedge costs beyond
//! that, and which calls may be asked twice at all, is for whoever sends it: pay it from the
//! [`RetryBudget`](crate::budget::RetryBudget), and hedge only what may safely happen twice.
//!
//! Record every request that ends, and one given up for the other's answer with the time it had
//! taken until then. Without those only quick ones would be seen, and the delay would sink.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::deadline::Instant;
use crate::settings::{InvalidSetting, require};

/// Settings of [`Hedge`]; off unless asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HedgeSettings {
    /// Share of the calls that may be asked twice, in percent; 0 asks none. 1 or 2 cut the worst
    /// of the tail, and more brings little (Finagle).
    pub max_extra_percent: u8,
    /// Shortest delay, in milliseconds (Finagle).
    pub min_delay_ms: u64,
    /// How long a latency counts, in milliseconds (Finagle).
    pub window_ms: u64,
    /// Fewer calls in the window say nothing of a quantile, and none is hedged.
    pub minimum_calls: u32,
}

impl Default for HedgeSettings {
    fn default() -> Self {
        Self {
            max_extra_percent: 0,
            min_delay_ms: 1,
            window_ms: 30_000,
            minimum_calls: 20,
        }
    }
}

/// Tells how late is unusually late.
#[derive(Debug)]
pub struct Hedge(Option<Box<Enabled>>);

#[derive(Debug)]
struct Enabled {
    settings: HedgeSettings,
    born: Instant,
    /// Half of the window each: one fills while the other is still counted.
    halves: [Histogram; 2],
    /// Which half of the time since `born` is the newer one.
    half: AtomicU64,
    /// The delay in microseconds, and when to compute it anew. 0 for none.
    delay_us: AtomicU64,
    due_ms: AtomicU64,
}

impl Hedge {
    /// Checks the settings: at most half of the calls twice, `1 s ≤ window_ms ≤ 10 min`.
    pub fn new(settings: &HedgeSettings, now: Instant) -> Result<Self, InvalidSetting> {
        require(
            settings.max_extra_percent <= 50,
            "hedge.max_extra_percent",
            "be at most 50",
        )?;
        require(
            (1..=60_000).contains(&settings.min_delay_ms),
            "hedge.min_delay_ms",
            "be between 1 and 60000",
        )?;
        require(
            (1_000..=600_000).contains(&settings.window_ms),
            "hedge.window_ms",
            "be between 1000 and 600000",
        )?;
        require(
            (1..=100_000).contains(&settings.minimum_calls),
            "hedge.minimum_calls",
            "be between 1 and 100000",
        )?;
        let enabled = || {
            Box::new(Enabled {
                settings: *settings,
                born: now,
                halves: [Histogram::new(), Histogram::new()],
                half: AtomicU64::new(0),
                delay_us: AtomicU64::new(0),
                due_ms: AtomicU64::new(0),
            })
        };
        Ok(Self((settings.max_extra_percent > 0).then(enabled)))
    }

    /// Counts a request that took `latency`.
    pub fn record(&self, latency: Duration, now: Instant) {
        if let Some(enabled) = &self.0 {
            enabled.current(enabled.millis(now)).add(latency);
        }
    }

    /// How long to wait for the first answer before asking again; `None` while off, or while too
    /// few calls are known. Computed at most sixty times per window.
    pub fn delay(&self, now: Instant) -> Option<Duration> {
        let enabled = self.0.as_ref()?;
        let now_ms = enabled.millis(now);
        let due_ms = enabled.due_ms.load(Relaxed);
        if now_ms >= due_ms {
            let next_ms = now_ms + enabled.settings.window_ms / 60;
            let mine = enabled
                .due_ms
                .compare_exchange(due_ms, next_ms, Relaxed, Relaxed);
            if mine.is_ok() {
                let delay_us = enabled.computed_us(now_ms).unwrap_or(0);
                enabled.delay_us.store(delay_us, Relaxed);
            }
        }
        let delay_us = enabled.delay_us.load(Relaxed);
        (delay_us > 0).then(|| Duration::from_micros(delay_us))
    }
}

impl Enabled {
    fn millis(&self, now: Instant) -> u64 {
        crate::millis_between(self.born, now)
    }

    /// The half that fills at `now_ms`, emptied if it still held an older one.
    ///
    /// A count added by another thread meanwhile may be lost or land in the neighbour: one of
    /// thousands, which no quantile notices.
    fn current(&self, now_ms: u64) -> &Histogram {
        let half = now_ms / (self.settings.window_ms / 2);
        let newest = self.half.load(Relaxed);
        if half > newest {
            let turned = self.half.compare_exchange(newest, half, Relaxed, Relaxed);
            if turned.is_ok() {
                self.of(half).clear();
                if half - newest > 1 {
                    self.of(half + 1).clear();
                }
            }
        }
        self.of(half)
    }

    fn of(&self, half: u64) -> &Histogram {
        &self.halves[usize::from(half % 2 == 1)]
    }

    fn computed_us(&self, now_ms: u64) -> Option<u64> {
        self.current(now_ms);
        let settings = &self.settings;
        let calls: u64 = self.counts().sum();
        if calls < u64::from(settings.minimum_calls) {
            return None;
        }
        // So many stay below the delay, and so at most the rest are asked twice.
        let below = calls - calls * u64::from(settings.max_extra_percent) / 100;
        let mut seen = 0;
        let bucket = self.counts().position(|count| {
            seen += count;
            seen >= below
        });
        let delay_us = end_us(bucket.unwrap_or(BUCKETS - 1));
        Some(delay_us.max(settings.min_delay_ms * 1000))
    }

    fn counts(&self) -> impl Iterator<Item = u64> {
        let [even, odd] = &self.halves;
        even.0
            .iter()
            .zip(&odd.0)
            .map(|(even, odd)| u64::from(even.load(Relaxed)) + u64::from(odd.load(Relaxed)))
    }
}

/// Latencies by microsecond up to 31, then 32 buckets for each doubling, a width of at most 3 %.
///
/// Our own instead of `hdrhistogram`, whose histograms are recorded by `&mut self`: this is one
/// atomic add instead of a lock, an eighth of its memory, and less code than the lock and the
/// turning of two of them would be.
#[derive(Debug)]
struct Histogram([AtomicU32; BUCKETS]);

const SUB_BITS: u32 = 5;
const SUB: usize = 1 << SUB_BITS;
/// Up to 2^27 µs, more than two minutes; longer ones count as that.
const OCTAVES: usize = 23;
const BUCKETS: usize = OCTAVES * SUB;

impl Histogram {
    fn new() -> Self {
        Self([const { AtomicU32::new(0) }; BUCKETS])
    }

    fn add(&self, latency: Duration) {
        self.0[bucket(latency)].fetch_add(1, Relaxed);
    }

    fn clear(&self) {
        for count in &self.0 {
            count.store(0, Relaxed);
        }
    }
}

fn bucket(latency: Duration) -> usize {
    let Ok(us) = usize::try_from(latency.as_micros()) else {
        return BUCKETS - 1;
    };
    if us < SUB {
        return us;
    }
    // The highest bit says which doubling, the next five which bucket of it.
    let shift = us.ilog2() - SUB_BITS;
    let octave = shift as usize + 1;
    (octave * SUB + (us >> shift) - SUB).min(BUCKETS - 1)
}

/// The first microsecond beyond the bucket.
fn end_us(bucket: usize) -> u64 {
    let (octave, sub) = (bucket / SUB, bucket % SUB);
    let end = match octave {
        0 => sub + 1,
        _ => (SUB + sub + 1) << (octave - 1),
    };
    end as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ManualClock, rng};
    use proptest::prelude::*;

    const ON: HedgeSettings = HedgeSettings {
        max_extra_percent: 2,
        min_delay_ms: 1,
        window_ms: 30_000,
        minimum_calls: 20,
    };
    /// After this the delay is computed anew.
    const REFRESH: Duration = Duration::from_millis(500);

    const fn ms(length: u64) -> Duration {
        Duration::from_millis(length)
    }

    #[test]
    fn off_unless_asked_for() {
        let now = Instant::now();
        let hedge = Hedge::new(&HedgeSettings::default(), now).unwrap();
        (0..1_000).for_each(|_| hedge.record(ms(10), now));
        assert_eq!(hedge.delay(now), None);
    }

    #[test]
    fn too_few_calls_say_nothing() {
        let clock = ManualClock::new();
        let hedge = Hedge::new(&ON, clock.now()).unwrap();
        (0..19).for_each(|_| hedge.record(ms(10), clock.now()));
        assert_eq!(hedge.delay(clock.now()), None);
        hedge.record(ms(10), clock.now());
        assert!(hedge.delay(clock.advance(REFRESH)).is_some());
    }

    #[test]
    fn the_delay_is_what_all_but_two_percent_stay_below() {
        let clock = ManualClock::new();
        let hedge = Hedge::new(&ON, clock.now()).unwrap();
        for i in 1..=1_000 {
            hedge.record(ms(i), clock.now());
        }
        let delay = hedge.delay(clock.now()).unwrap();
        assert!(delay >= ms(980) && delay <= ms(1_010), "{delay:?}");
    }

    #[test]
    fn a_peer_in_the_same_rack_is_not_hedged_within_the_least_delay() {
        let now = Instant::now();
        let hedge = Hedge::new(&ON, now).unwrap();
        (0..100).for_each(|_| hedge.record(Duration::from_micros(40), now));
        assert_eq!(hedge.delay(now), Some(ms(1)));
    }

    #[test]
    fn latencies_are_forgotten_after_the_window_and_not_before_half_of_it() {
        let clock = ManualClock::new();
        let hedge = Hedge::new(&ON, clock.now()).unwrap();
        (0..100).for_each(|_| hedge.record(ms(900), clock.now()));
        assert!(hedge.delay(clock.advance(ms(15_000))).unwrap() >= ms(900));
        (0..100).for_each(|_| hedge.record(ms(10), clock.now()));
        assert!(hedge.delay(clock.advance(ms(14_999))).unwrap() >= ms(900));
        assert!(hedge.delay(clock.advance(REFRESH)).unwrap() <= ms(11));
        assert_eq!(hedge.delay(clock.advance(ms(60_000))), None);
    }

    #[test]
    fn the_delay_is_computed_now_and_then_and_not_for_every_call() {
        let clock = ManualClock::new();
        let hedge = Hedge::new(&ON, clock.now()).unwrap();
        (0..100).for_each(|_| hedge.record(ms(10), clock.now()));
        let before = hedge.delay(clock.now());
        (0..100).for_each(|_| hedge.record(ms(900), clock.now()));
        assert_eq!(hedge.delay(clock.advance(ms(499))), before);
        assert!(hedge.delay(clock.advance(ms(1))) > before);
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let refused = |settings| Hedge::new(&settings, Instant::now()).unwrap_err().key;
        let mut settings = ON;
        settings.max_extra_percent = 51;
        assert_eq!(refused(settings), "hedge.max_extra_percent");
        settings = ON;
        settings.min_delay_ms = 0;
        assert_eq!(refused(settings), "hedge.min_delay_ms");
        settings = ON;
        settings.window_ms = 999;
        assert_eq!(refused(settings), "hedge.window_ms");
        settings = ON;
        settings.minimum_calls = 0;
        assert_eq!(refused(settings), "hedge.minimum_calls");
    }

    #[test]
    fn a_steady_peer_is_hedged_no_more_often_than_allowed_over_an_hour() {
        for percent in [1, 2, 5, 10] {
            let (clock, mut rng) = (ManualClock::new(), rng(u64::from(percent)));
            let settings = HedgeSettings {
                max_extra_percent: percent,
                ..ON
            };
            let hedge = Hedge::new(&settings, clock.now()).unwrap();
            let (mut calls, mut hedged) = (0_u32, 0_u32);
            while clock.elapsed() < Duration::from_hours(1) {
                let now = clock.advance(ms(10));
                // A long tail: exponential around 20 ms.
                let latency = ms(20).mul_f64(-(1.0 - rng.f64()).ln());
                calls += 1;
                hedged += u32::from(hedge.delay(now).is_some_and(|delay| latency >= delay));
                hedge.record(latency, now);
            }
            let share = f64::from(hedged) * 100.0 / f64::from(calls);
            let allowed = f64::from(percent);
            assert!(share <= allowed * 1.05, "{share} % of {allowed} %");
            assert!(share >= allowed * 0.8, "{share} % of {allowed} %");
        }
    }

    proptest! {
        #[test]
        fn no_more_than_the_share_of_the_seen_calls_reaches_the_delay(
            percent in 1..=50_u8,
            latencies_us in prop::collection::vec(0..60_000_000_u64, 20..500),
        ) {
            let now = Instant::now();
            let settings = HedgeSettings { max_extra_percent: percent, ..ON };
            let hedge = Hedge::new(&settings, now).unwrap();
            for us in &latencies_us {
                hedge.record(Duration::from_micros(*us), now);
            }
            let delay = hedge.delay(now).unwrap();
            let late = latencies_us.iter().filter(|us| Duration::from_micros(**us) >= delay);
            prop_assert!(late.count() * 100 <= latencies_us.len() * usize::from(percent));
        }

        #[test]
        fn a_latency_lies_within_its_bucket_and_buckets_are_narrow(us in 0..(1_u64 << 27)) {
            let bucket = bucket(Duration::from_micros(us));
            let end = end_us(bucket);
            let begin = bucket.checked_sub(1).map_or(0, end_us);
            prop_assert!(begin <= us && us < end, "{us} in {begin}..{end}");
            prop_assert!(end - begin <= 1 + us / 32);
        }
    }
}
