//! What a decision costs on the happy path, as a ratio to the cheapest thing that could hold the
//! same state: one lock and one addition.
//!
//! Time is passed in, so no clock is read. Each figure is the best of several rounds: on a busy
//! machine the best one says most about the code. `make bench` prints the table.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark reports on standard output"
)]

use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant as Clock};

use lyceum_resilience::breaker::{Breaker, BreakerSettings, Verdict};
use lyceum_resilience::budget::{BudgetSettings, RetryBudget};
use lyceum_resilience::deadline::Instant;
use lyceum_resilience::faults::Faults;

const CALLS: u32 = 200_000;
const ROUNDS: usize = 7;

fn main() {
    let now = Instant::now();
    let counter = Mutex::new(0_u64);
    let baseline = best(|| *counter.lock().unwrap() += 1);
    report(
        "baseline: lock a Mutex<u64> and add one",
        baseline,
        baseline,
    );

    let closed = breaker(now);
    let pass = best(|| closed.acquire(now).unwrap().record(Verdict::Success, now));
    report("breaker, closed: permit and verdict", pass, baseline);

    let busy = breaker(now);
    for _ in 0..1_000_000 {
        busy.acquire(now).unwrap().record(Verdict::Success, now);
    }
    let after = best(|| busy.acquire(now).unwrap().record(Verdict::Success, now));
    report(
        "the same with a million calls in the window",
        after,
        baseline,
    );

    let open = breaker(now);
    while let Ok(permit) = open.acquire(now) {
        permit.record(Verdict::Failure, now);
    }
    let refused = best(|| {
        black_box(open.acquire(now).unwrap_err());
    });
    report("breaker, open: refusal", refused, baseline);

    let budget = RetryBudget::new(&BudgetSettings::default(), now).unwrap();
    let deposit = best(|| budget.deposit(now));
    report("retry budget: deposit of one call", deposit, baseline);
    let reserve = best(|| drop(black_box(budget.reserve(now))));
    report("retry budget: reservation given back", reserve, baseline);

    let faults = Faults::<u16>::default();
    let none = best(|| {
        black_box(black_box(&faults).is_set());
    });
    report("faults on purpose, none set: look", none, baseline);
}

fn breaker(now: Instant) -> Breaker {
    Breaker::new(&BreakerSettings::default(), now, 7).unwrap()
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

fn report(what: &str, time: f64, baseline: f64) {
    println!("{time:>7.1} ns  {:>5.2} ×  {what}", time / baseline);
}
