//! What the parts around a breaker cost each call, as `deciding` tells it for the breaker: the best
//! of several rounds, without a look at the clock, and its ratio to one lock and one addition.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark reports on standard output"
)]

use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant as Clock};

use futures_util::FutureExt;
use lyceum_resilience::balance::{PeakEwma, choose};
use lyceum_resilience::bulkhead::{AdaptiveSettings, Bulkhead, BulkheadSettings, Signal};
use lyceum_resilience::deadline::{Deadline, Instant};
use lyceum_resilience::hedge::{Hedge, HedgeSettings};
use lyceum_resilience::outlier::{OutlierSettings, Outliers};

const CALLS: u32 = 20_000;
const ROUNDS: usize = 100;
const LATENCY: Duration = Duration::from_millis(20);

fn main() {
    let counter = Mutex::new(0_u64);
    let baseline = best(|| *counter.lock().unwrap() += 1);
    let report = |what, time: f64| println!("{time:>7.1} ns  {:>5.2} ×  {what}", time / baseline);
    report("baseline: lock a Mutex<u64> and add one", baseline);
    bulkheads(&report);
    endpoints(&report);
    hedges(&report);
}

fn bulkheads(report: &impl Fn(&'static str, f64)) {
    let later = Deadline::after(Duration::from_mins(1));
    let fixed = Bulkhead::new(&BulkheadSettings::default()).unwrap();
    let slot = best(|| taken(&fixed, later));
    report("bulkhead: a slot and back", slot);

    let settings = BulkheadSettings {
        adaptive: AdaptiveSettings {
            enabled: true,
            ..AdaptiveSettings::default()
        },
        ..BulkheadSettings::default()
    };
    let adaptive = Bulkhead::new(&settings).unwrap();
    let slot = best(|| taken(&adaptive, later));
    report("the same with an adaptive limit", slot);
}

fn taken(bulkhead: &Bulkhead, later: Deadline) {
    let slot = bulkhead.acquire(black_box(later)).now_or_never();
    slot.unwrap().unwrap().record(black_box(Signal::Done));
}

fn endpoints(report: &impl Fn(&'static str, f64)) {
    let now = Instant::now();
    let endpoints: Vec<_> = (0..5).map(|_| PeakEwma::new(now)).collect();
    let call = best(|| {
        endpoints[0]
            .start(now)
            .finish(LATENCY, true, black_box(now));
    });
    report("peak EWMA: a call begun and ended", call);

    let mut rng = fastrand::Rng::with_seed(7);
    for (count, what) in [
        (2, "choice between two endpoints"),
        (5, "choice among five endpoints"),
    ] {
        let cost = |i: usize| endpoints[i].cost(black_box(now));
        let choice = best(|| {
            black_box(choose(black_box(count), None, &mut rng, cost, |_| true));
        });
        report(what, choice);
    }

    let outliers = Outliers::new(&OutlierSettings::default(), now, 7).unwrap();
    let standings: Vec<_> = (0..5).map(|_| outliers.newcomer()).collect();
    let call = best(|| {
        black_box(outliers.record(&standings[0], &standings, true, black_box(now)));
    });
    report("outliers: a call that ended well", call);
    let look = best(|| {
        black_box(outliers.is_ejected(&standings[0], black_box(now)));
    });
    report("outliers: whether one is ejected", look);
}

fn hedges(report: &impl Fn(&'static str, f64)) {
    let now = Instant::now();
    let settings = HedgeSettings {
        max_extra_percent: 2,
        ..HedgeSettings::default()
    };
    let hedge = Hedge::new(&settings, now).unwrap();
    let record = best(|| hedge.record(black_box(LATENCY), black_box(now)));
    report("hedge: a latency", record);
    let delay = best(|| {
        black_box(hedge.delay(black_box(now)));
    });
    report("hedge: the delay", delay);

    let off = Hedge::new(&HedgeSettings::default(), now).unwrap();
    let delay = best(|| {
        black_box(black_box(&off).delay(now));
    });
    report("hedge, off: the delay", delay);
}

/// The best time of one `work`, in nanoseconds.
fn best(mut work: impl FnMut()) -> f64 {
    let round = |_| {
        let begun = Clock::now();
        for _ in 0..CALLS {
            work();
        }
        begun.elapsed()
    };
    let best = (0..ROUNDS).map(round).min().unwrap_or(Duration::MAX);
    best.as_secs_f64() * 1e9 / f64::from(CALLS)
}
