//! When it opens, and for how long.

use std::time::Duration;

use lyceum_resilience::breaker::{BreakerSettings, State, Verdict};

use crate::Bench;

#[test]
fn five_failures_in_a_row_open_it_and_the_sixth_call_does_not_pass() {
    let bench = Bench::new(BreakerSettings::default());
    bench.fail(4);
    assert_eq!(bench.state(), State::Closed);
    bench.fail(1);
    assert_eq!(bench.state(), State::Open);
    let refused = bench.call(Verdict::Success).unwrap_err();
    assert!(
        refused.retry_after >= Duration::from_millis(2_500),
        "{refused}"
    );
    assert!(refused.retry_after <= Duration::from_secs(5), "{refused}");
    assert_eq!(bench.breaker.peek(bench.now()), Err(refused));
}

#[test]
fn a_success_ends_the_row() {
    let bench = Bench::new(BreakerSettings::default());
    for _ in 0..4 {
        bench.fail(4);
        bench.succeed(1);
    }
    // 16 of 20 failed, but the row never reached five; the share opens it with the next failure.
    assert_eq!(bench.state(), State::Closed);
    bench.fail(1);
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn half_of_twenty_calls_opens_it_and_half_of_nineteen_does_not() {
    let bench = Bench::by_share();
    bench.succeed(10);
    bench.fail(9);
    assert_eq!(bench.state(), State::Closed);
    bench.fail(1);
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn a_share_opens_it_after_the_same_count_whatever_went_before() {
    for healthy in [0, 1_000, 100_000, 1_000_000] {
        let bench = Bench::by_share();
        bench.succeed(healthy);
        bench.pass(10_000);
        assert_eq!(
            bench.failures_to_open(),
            20,
            "after {healthy} healthy calls"
        );
    }
}

#[test]
fn a_row_opens_it_after_the_same_count_whatever_went_before() {
    for healthy in [0, 1_000, 100_000, 1_000_000] {
        let bench = Bench::new(BreakerSettings::default());
        bench.succeed(healthy);
        assert_eq!(bench.failures_to_open(), 5, "after {healthy} healthy calls");
    }
}

#[test]
fn what_happened_a_window_ago_is_forgotten() {
    let bench = Bench::by_share();
    bench.fail(19);
    bench.pass(10_000);
    assert_eq!(bench.snapshot().window_calls, 0);
    assert_eq!(bench.failures_to_open(), 20);
}

#[test]
fn throttling_counts_in_the_share_but_makes_no_row() {
    let bench = Bench::new(BreakerSettings::default());
    (0..19).for_each(|_| bench.call(Verdict::Throttled).unwrap());
    assert_eq!(bench.state(), State::Closed);
    bench.call(Verdict::Throttled).unwrap();
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn four_slow_calls_of_five_open_it_though_all_succeed() {
    let bench = Bench::new(BreakerSettings::default());
    for _ in 0..4 {
        bench.call_lasting(999, Verdict::Success);
    }
    // Sixteen at once, so that all are in the window.
    let permits: Vec<_> = (0..16).map(|_| bench.acquire().unwrap()).collect();
    bench.pass(1_000);
    for permit in permits {
        assert_eq!(bench.state(), State::Closed);
        permit.record(Verdict::Success, bench.now());
    }
    assert_eq!(bench.state(), State::Open);
    assert_eq!(bench.snapshot().window_slow, 16);
}

#[test]
fn slow_calls_below_the_share_leave_it_closed() {
    let bench = Bench::new(BreakerSettings::default());
    let permits: Vec<_> = (0..30).map(|_| bench.acquire().unwrap()).collect();
    bench.pass(1_000);
    bench.succeed(10);
    for permit in permits {
        permit.record(Verdict::Success, bench.now());
    }
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn slowness_does_not_matter_when_it_is_left_out() {
    let bench = Bench::new(BreakerSettings {
        slow_call_ms: 0,
        ..BreakerSettings::default()
    });
    for _ in 0..100 {
        bench.call_lasting(60_000, Verdict::Success);
    }
    assert_eq!(bench.state(), State::Closed);
    assert_eq!(bench.snapshot().window_slow, 0);
}

#[test]
fn each_failed_probe_doubles_the_time_up_to_a_minute() {
    let bench = Bench::new(BreakerSettings::default());
    bench.fail(5);
    for length in [5_000, 10_000, 20_000, 40_000, 60_000, 60_000] {
        let rest = bench.snapshot().retry_after_ms;
        assert!((length / 2..=length).contains(&rest), "{rest} of {length}");
        bench.pass(rest);
        bench.fail(1);
    }
}
