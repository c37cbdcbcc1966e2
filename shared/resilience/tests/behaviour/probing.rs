//! Half-open: who passes, and what closes it.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use lyceum_resilience::breaker::{State, Verdict};

use crate::Bench;

#[test]
fn of_a_thousand_callers_only_the_probes_pass() {
    let bench = Bench::ready_for_probes();
    let permits: Vec<_> = (0..1_000).filter_map(|_| bench.acquire().ok()).collect();
    assert_eq!(permits.len(), 3);
    assert_eq!(bench.state(), State::HalfOpen);
}

#[test]
fn of_callers_on_many_threads_only_the_probes_pass() {
    for _ in 0..50 {
        let bench = Bench::ready_for_probes();
        let (breaker, now) = (&bench.breaker, bench.now());
        let (passed, barrier) = (AtomicUsize::new(0), Barrier::new(8));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let permit = breaker.acquire(now);
                    passed.fetch_add(usize::from(permit.is_ok()), Ordering::Relaxed);
                    barrier.wait();
                });
            }
        });
        assert_eq!(passed.load(Ordering::Relaxed), 3);
    }
}

#[test]
fn all_probes_must_succeed_before_it_closes() {
    let bench = Bench::ready_for_probes();
    bench.succeed(2);
    assert_eq!(bench.state(), State::HalfOpen);
    bench.succeed(1);
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn one_failed_probe_opens_it_again() {
    let bench = Bench::ready_for_probes();
    bench.succeed(2);
    bench.fail(1);
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn a_throttled_probe_opens_it_again() {
    let bench = Bench::ready_for_probes();
    bench.call(Verdict::Throttled).unwrap();
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn a_slow_success_fails_the_round_of_probes() {
    let bench = Bench::ready_for_probes();
    bench.succeed(2);
    bench.call_lasting(1_000, Verdict::Success);
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn a_cancelled_probe_says_nothing() {
    let bench = Bench::ready_for_probes();
    bench.succeed(2);
    drop(bench.acquire().unwrap());
    assert_eq!(bench.state(), State::HalfOpen);
    bench.succeed(1);
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn it_recovers_after_any_number_of_cancelled_probes() {
    let bench = Bench::ready_for_probes();
    for _ in 0..100 {
        drop(bench.acquire().unwrap());
        assert_eq!(bench.state(), State::HalfOpen);
    }
    bench.succeed(3);
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn a_probe_that_never_comes_back_does_not_wedge_it() {
    let bench = Bench::ready_for_probes();
    let lost: Vec<_> = (0..3).map(|_| bench.acquire().unwrap()).collect();
    let refused = bench.acquire().unwrap_err();
    assert_eq!(refused.retry_after.as_millis(), 10_000);
    bench.pass(10_000);
    bench.succeed(3);
    assert_eq!(bench.state(), State::Closed);
    // When they do come back after all, they have nothing to say.
    for permit in lost {
        permit.record(Verdict::Failure, bench.now());
    }
    assert_eq!(bench.snapshot().window_failures, 0);
}

#[test]
fn a_lost_probe_that_comes_back_in_the_end_frees_no_place_of_a_later_one() {
    let bench = Bench::ready_for_probes();
    let lost: Vec<_> = (0..3).map(|_| bench.acquire().unwrap()).collect();
    bench.pass(10_000);
    let probes: Vec<_> = (0..3).map(|_| bench.acquire().unwrap()).collect();
    for permit in lost {
        permit.discard();
        assert!(bench.acquire().is_err());
    }
    for permit in probes {
        permit.record(Verdict::Success, bench.now());
    }
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn rare_probes_add_up() {
    let bench = Bench::ready_for_probes();
    for _ in 0..3 {
        assert_ne!(bench.state(), State::Closed);
        bench.succeed(1);
        bench.pass(15_000);
    }
    assert_eq!(bench.state(), State::Closed);
}
