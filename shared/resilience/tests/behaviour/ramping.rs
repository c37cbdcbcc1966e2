//! What passes after it has closed, and what a second outage soon after the first costs.

use std::collections::VecDeque;

use lyceum_resilience::breaker::{BreakerSettings, Permit, State, Verdict};

use crate::Bench;

/// Closed a moment ago, after an outage.
fn closed_again(settings: BreakerSettings) -> Bench {
    let bench = Bench::new(settings);
    bench.fail(5);
    bench.rest();
    bench.succeed(3);
    assert_eq!(bench.state(), State::Closed);
    bench
}

/// How many of a thousand calls pass in each of the next `seconds`.
fn passed_each_second(bench: &Bench, seconds: usize) -> Vec<usize> {
    let second = || {
        let passed = |_: &i32| {
            bench.pass(1);
            bench.call(Verdict::Success).is_ok()
        };
        (0..1_000).filter(passed).count()
    };
    (0..seconds).map(|_| second()).collect()
}

#[test]
fn the_share_that_passes_grows_from_a_tenth_to_all() {
    let bench = closed_again(BreakerSettings::default());
    let passed = passed_each_second(&bench, 11);
    assert!((100..=130).contains(&passed[0]), "{passed:?}");
    assert!(passed.is_sorted(), "{passed:?}");
    assert!((530..=570).contains(&passed[5]), "{passed:?}");
    assert_eq!(passed[10], 1_000, "{passed:?}");
}

/// A thousand calls a second, each of 20 ms, to a peer that is away for half a minute.
#[test]
fn after_an_outage_calls_come_back_by_three_probes_and_a_ramp_without_a_second_outage() {
    const OUTAGE_MS: u64 = 30_000;
    let (bench, heard) = Bench::new(BreakerSettings::default()).listen();
    let mut under_way = VecDeque::new();
    let (mut sent_in_vain, mut sent) = (0, [0; 120]);
    for now_ms in 0..120_000 {
        bench.pass(1);
        if let Some((_, permit)) = under_way.pop_front_if(|(ends_ms, _)| *ends_ms <= now_ms) {
            let answers = now_ms >= OUTAGE_MS;
            let verdict = if answers {
                Verdict::Success
            } else {
                Verdict::Failure
            };
            Permit::record(permit, verdict, bench.now());
        }
        if let Ok(permit) = bench.acquire() {
            under_way.push_back((now_ms + 20, permit));
            sent_in_vain += u32::from(now_ms < OUTAGE_MS);
            sent[usize::try_from(now_ms / 1_000).unwrap()] += 1;
        }
    }
    // Those of the first 25 ms, and three probes each time it was half-open.
    assert!(sent_in_vain <= 25 + 3 * 4, "{sent_in_vain}");
    let closed = heard.lock().unwrap().pop().unwrap();
    assert_eq!(closed.to, State::Closed);
    let back = sent.iter().rposition(|sent| *sent == 0).unwrap() + 1;
    assert!((30..70).contains(&back), "{sent:?}");
    // The first second is not a whole one, the last of the ramp neither.
    assert!(sent[back] <= 3 + 100 + 10, "{sent:?}");
    assert!((100..210).contains(&sent[back + 1]), "{sent:?}");
    assert!(sent[back + 1..].is_sorted(), "{sent:?}");
    assert_eq!(sent[back + 11..].iter().min(), Some(&1_000), "{sent:?}");
}

#[test]
fn a_quiet_client_is_never_refused_after_it_closed() {
    let bench = closed_again(BreakerSettings::default());
    for _ in 0..11 {
        bench.succeed(10);
        bench.pass(1_000);
    }
}

#[test]
fn a_call_the_ramp_refuses_may_try_again_soon() {
    let bench = closed_again(BreakerSettings {
        ramp_floor_per_second: 0,
        ..BreakerSettings::default()
    });
    let refused = (0..10).find_map(|_| bench.acquire().err()).unwrap();
    assert_eq!(refused.retry_after.as_millis(), 100);
    assert_eq!(bench.state(), State::Closed);
    assert_eq!(bench.snapshot().ramping_percent, Some(10));
    bench.pass(5_000);
    assert_eq!(bench.snapshot().ramping_percent, Some(50));
    bench.pass(5_000);
    assert_eq!(bench.snapshot().ramping_percent, None);
}

#[test]
fn a_breaker_that_never_opened_does_not_ramp() {
    let bench = Bench::new(BreakerSettings::default());
    bench.succeed(1_000);
    assert_eq!(bench.snapshot().ramping_percent, None);
}

#[test]
fn all_calls_pass_at_once_without_a_ramp() {
    let bench = closed_again(BreakerSettings {
        ramp_ms: 0,
        ..BreakerSettings::default()
    });
    assert_eq!(bench.snapshot().ramping_percent, None);
    bench.succeed(1_000);
}

#[test]
fn an_outage_during_the_ramp_goes_on_with_the_last_one() {
    for ramp_ms in [10_000, 0] {
        let bench = closed_again(BreakerSettings {
            ramp_ms,
            ..BreakerSettings::default()
        });
        for length in [10_000, 20_000, 40_000] {
            bench.pass(9_999);
            bench.fail(5);
            let rest = bench.snapshot().retry_after_ms;
            assert!((length / 2..=length).contains(&rest), "{rest} of {length}");
            bench.rest();
            bench.succeed(3);
        }
    }
}

#[test]
fn an_outage_after_the_ramp_is_a_new_one() {
    for ramp_ms in [10_000, 0] {
        let bench = closed_again(BreakerSettings {
            ramp_ms,
            ..BreakerSettings::default()
        });
        bench.pass(10_000);
        bench.fail(5);
        let rest = bench.snapshot().retry_after_ms;
        assert!((2_500..=5_000).contains(&rest), "{rest}");
    }
}

#[test]
fn a_share_of_failures_opens_it_during_the_ramp_too() {
    let bench = closed_again(BreakerSettings {
        consecutive_failures: 5,
        ramp_floor_per_second: 1_000,
        ..BreakerSettings::default()
    });
    for _ in 0..5 {
        bench.succeed(2);
        bench.fail(2);
    }
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn the_count_starts_anew_after_closing() {
    let bench = Bench::by_share();
    bench.fail(20);
    bench.rest();
    bench.succeed(3);
    assert_eq!(bench.snapshot().window_calls, 0);
}
