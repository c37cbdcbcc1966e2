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

use std::hint::{black_box, spin_loop};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    let deposit = on_two_threads(|| budget.deposit(now));
    report(
        "the same on two threads, per call of each",
        deposit,
        baseline,
    );
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

/// The best time of one `work` of a thread while another does the same, in nanoseconds. Rounds are short, and only those
/// count that both began and ended together: a busy machine runs threads in turns, which looks like no contention.
fn on_two_threads(work: impl Fn() + Sync) -> f64 {
    const SHORT: u32 = CALLS / 10;
    let arrived = AtomicUsize::new(0);
    let round = |turn: usize| {
        arrived.fetch_add(1, Ordering::SeqCst);
        while arrived.load(Ordering::SeqCst) < 2 * (turn + 1) {
            spin_loop();
        }
        let begun = Clock::now();
        for _ in 0..SHORT {
            work();
        }
        (begun, Clock::now())
    };
    let rounds = || (0..20 * ROUNDS).map(round).collect::<Vec<_>>();
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(rounds);
        (rounds(), other.join().unwrap())
    });
    let together = one.into_iter().zip(other).filter_map(|(one, other)| {
        let both = one.1.min(other.1).duration_since(one.0.max(other.0));
        let either = one.1.max(other.1) - one.0.min(other.0);
        (both > either * 9 / 10).then_some(either)
    });
    nanos_per_call(together.min(), SHORT)
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
    nanos_per_call((0..ROUNDS).map(round).min(), CALLS)
}

fn nanos_per_call(round: Option<Duration>, calls: u32) -> f64 {
    round.map_or(f64::NAN, |round| {
        round.as_secs_f64() * 1e9 / f64::from(calls)
    })
}

fn report(what: &str, time: f64, baseline: f64) {
    println!("{time:>7.1} ns  {:>5.2} ×  {what}", time / baseline);
}
