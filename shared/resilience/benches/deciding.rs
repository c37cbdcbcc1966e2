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
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant as Clock};

use lyceum_resilience::breaker::{Breaker, BreakerSettings, Verdict};
use lyceum_resilience::budget::{BudgetSettings, RetryBudget};
use lyceum_resilience::deadline::Instant;
use lyceum_resilience::faults::Faults;

const CALLS: u32 = 20_000;
const ROUNDS: usize = 200;

fn main() {
    let now = Instant::now();
    let counter = Mutex::new(0_u64);
    let baseline = best(|| *counter.lock().unwrap() += 1);
    report(
        "baseline: lock a Mutex<u64> and add one",
        baseline,
        baseline,
    );

    for calls in [0, 1_000, 1_000_000] {
        let closed = breaker(now);
        (0..calls).for_each(|_| call(&closed, now, Verdict::Success));
        let pass = best(|| call(&closed, now, Verdict::Success));
        let what = format!("breaker, closed: permit and verdict after {calls} calls in the window");
        report(&what, pass, baseline);
    }

    let shared = breaker(now);
    let pass = on_two_threads(|| call(&shared, now, Verdict::Success));
    report("the same on two threads, per call of each", pass, baseline);
    let lock = on_two_threads(|| *counter.lock().unwrap() += 1);
    report("baseline on two threads", lock, baseline);

    let clocked = breaker(now);
    let pass = best(|| {
        let permit = clocked.acquire(Instant::now()).unwrap();
        permit.record(Verdict::Success, Instant::now());
    });
    report(
        "breaker, closed, with two looks at the clock",
        pass,
        baseline,
    );

    let settings = BreakerSettings {
        failure_percent: 100,
        ..BreakerSettings::default()
    };
    let unwell = Breaker::new(&settings, now, 7).unwrap();
    call(&unwell, now, Verdict::Success);
    let fail = best(|| call(&unwell, now, Verdict::Throttled));
    report(
        "breaker, closed: a verdict that asks the shares",
        fail,
        baseline,
    );

    let (ramping, later) = ramping(now);
    let pass = best(|| {
        if let Ok(permit) = ramping.acquire(later) {
            permit.record(Verdict::Success, later);
        }
    });
    report(
        "breaker, ramping up: half of the calls pass",
        pass,
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

/// A breaker halfway up its ramp, and the time at which it is there.
fn ramping(now: Instant) -> (Breaker, Instant) {
    let breaker = breaker(now);
    (0..5).for_each(|_| call(&breaker, now, Verdict::Failure));
    let closes = now + Duration::from_secs(5);
    (0..3).for_each(|_| call(&breaker, closes, Verdict::Success));
    (breaker, closes + Duration::from_secs(5))
}

fn call(breaker: &Breaker, now: Instant, verdict: Verdict) {
    let permit = breaker.acquire(black_box(now)).unwrap();
    permit.record(verdict, black_box(now));
}

/// The best time in which two threads do one `work` each, from the first to begin until the last has ended, in
/// nanoseconds.
fn on_two_threads(work: impl Fn() + Sync) -> f64 {
    let barrier = Barrier::new(2);
    let round = |_: usize| {
        barrier.wait();
        let begun = Clock::now();
        for _ in 0..CALLS {
            work();
        }
        (begun, Clock::now())
    };
    let rounds = || (0..ROUNDS).map(round).collect::<Vec<_>>();
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(rounds);
        (rounds(), other.join().unwrap())
    });
    let both = one.into_iter().zip(other);
    nanos_per_call(
        both.map(|(one, other)| one.1.max(other.1) - one.0.min(other.0))
            .min(),
    )
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
    nanos_per_call((0..ROUNDS).map(round).min())
}

fn nanos_per_call(round: Option<Duration>) -> f64 {
    round.unwrap_or(Duration::MAX).as_secs_f64() * 1e9 / f64::from(CALLS)
}

fn report(what: &str, time: f64, baseline: f64) {
    println!("{time:>7.1} ns  {:>5.2} ×  {what}", time / baseline);
}
