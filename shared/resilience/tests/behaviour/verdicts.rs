//! Which calls have a say, and what they say when their caller has gone.

use std::future::pending;
use std::time::Duration;

use lyceum_resilience::breaker::{Breaker, BreakerSettings, State, Verdict};
use lyceum_resilience::deadline::Instant;
use tokio::time::{advance, timeout};

use crate::Bench;

#[test]
fn a_success_from_before_the_outage_decides_nothing() {
    let bench = Bench::new(BreakerSettings::default());
    let stale: Vec<_> = (0..9).map(|_| bench.acquire().unwrap()).collect();
    bench.fail(5);
    bench.rest();
    let probe = bench.acquire().unwrap();
    for permit in stale {
        permit.record(Verdict::Success, bench.now());
    }
    assert_eq!(bench.state(), State::HalfOpen);
    probe.record(Verdict::Failure, bench.now());
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn a_failure_from_before_the_outage_decides_nothing() {
    let bench = Bench::new(BreakerSettings::default());
    let stale: Vec<_> = (0..9).map(|_| bench.acquire().unwrap()).collect();
    bench.fail(5);
    bench.rest();
    bench.succeed(3);
    for permit in stale {
        permit.record(Verdict::Failure, bench.now());
    }
    assert_eq!(bench.state(), State::Closed);
    assert_eq!(bench.snapshot().consecutive_failures, 0);
    assert_eq!(bench.snapshot().window_calls, 0);
}

fn breaker(settings: BreakerSettings) -> Breaker {
    Breaker::new(&settings, Instant::now(), 7).unwrap()
}

#[tokio::test(start_paused = true)]
async fn hung_calls_given_up_inside_the_permit_open_it() {
    let breaker = breaker(BreakerSettings::default());
    for _ in 0..5 {
        let permit = breaker.acquire(Instant::now()).unwrap();
        let hung = timeout(Duration::from_millis(100), pending::<()>());
        assert!(hung.await.is_err());
        permit.record(Verdict::Failure, Instant::now());
    }
    assert_eq!(breaker.state(), State::Open);
}

/// A call to a peer that hangs, by a client with nothing but a timeout around everything.
async fn hung_call(breaker: &Breaker, patience: Duration) {
    let call = async {
        let permit = breaker.acquire(Instant::now()).unwrap();
        let () = pending().await;
        permit.record(Verdict::Success, Instant::now());
    };
    assert!(timeout(patience, call).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn hung_calls_dropped_by_an_outer_timeout_open_it() {
    let breaker = breaker(BreakerSettings::default());
    for _ in 0..5 {
        assert_eq!(breaker.state(), State::Closed);
        hung_call(&breaker, Duration::from_secs(1)).await;
    }
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_hung_probe_dropped_by_an_outer_timeout_opens_it_again() {
    let breaker = breaker(BreakerSettings::default());
    for _ in 0..5 {
        hung_call(&breaker, Duration::from_secs(1)).await;
    }
    advance(Duration::from_secs(5)).await;
    hung_call(&breaker, Duration::from_secs(1)).await;
    assert_eq!(breaker.state(), State::Open);
    assert!(breaker.snapshot(Instant::now()).retry_after_ms >= 5_000);
}

#[tokio::test(start_paused = true)]
async fn callers_that_give_up_early_do_not_open_it() {
    let breaker = breaker(BreakerSettings::default());
    for _ in 0..500 {
        hung_call(&breaker, Duration::from_millis(999)).await;
    }
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.snapshot(Instant::now()).window_calls, 0);
}

#[tokio::test(start_paused = true)]
async fn without_slow_calls_a_dropped_call_hung_once_a_probe_would_be_lost() {
    let breaker = breaker(BreakerSettings {
        slow_call_ms: 0,
        ..BreakerSettings::default()
    });
    for _ in 0..5 {
        hung_call(&breaker, Duration::from_secs(9)).await;
    }
    assert_eq!(breaker.state(), State::Closed);
    for _ in 0..5 {
        hung_call(&breaker, Duration::from_secs(10)).await;
    }
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_discarded_permit_says_nothing_however_late() {
    let breaker = breaker(BreakerSettings::default());
    for _ in 0..100 {
        let permit = breaker.acquire(Instant::now()).unwrap();
        advance(Duration::from_mins(1)).await;
        permit.discard();
    }
    assert_eq!(breaker.state(), State::Closed);
    for _ in 0..5 {
        breaker
            .acquire(Instant::now())
            .unwrap()
            .record(Verdict::Failure, Instant::now());
    }
    advance(Duration::from_secs(5)).await;
    for _ in 0..100 {
        let probe = breaker.acquire(Instant::now()).unwrap();
        advance(Duration::from_secs(5)).await;
        probe.discard();
        assert_eq!(breaker.state(), State::HalfOpen);
    }
}
