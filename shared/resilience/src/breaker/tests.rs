//! The behaviours in which breakers differ, each by name. Time is an argument: nothing sleeps.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;

/// A breaker and the hand on its clock.
struct Bench {
    breaker: Breaker,
    now: Cell<Instant>,
}

impl Bench {
    fn new(settings: BreakerSettings) -> Self {
        let now = Instant::now();
        Self {
            breaker: Breaker::new(&settings, now, 7).unwrap(),
            now: Cell::new(now),
        }
    }

    /// Opens on the share of failures alone.
    fn by_share() -> Self {
        Self::new(BreakerSettings {
            consecutive_failures: 255,
            ..BreakerSettings::default()
        })
    }

    /// Open, with the time for probes come.
    fn ready_for_probes() -> Self {
        let bench = Self::new(BreakerSettings::default());
        bench.fail(5);
        bench.rest();
        bench
    }

    fn now(&self) -> Instant {
        self.now.get()
    }

    fn pass(&self, millis: u64) {
        self.now.set(self.now() + Duration::from_millis(millis));
    }

    /// Lets the longest first rest go by.
    fn rest(&self) {
        self.pass(5_000);
    }

    fn call(&self, verdict: Verdict) -> Result<(), Refused> {
        self.breaker
            .acquire(self.now())?
            .record(verdict, self.now());
        Ok(())
    }

    fn succeed(&self, times: usize) {
        (0..times).for_each(|_| self.call(Verdict::Success).unwrap());
    }

    fn fail(&self, times: usize) {
        (0..times).for_each(|_| self.call(Verdict::Failure).unwrap());
    }

    fn state(&self) -> State {
        self.breaker.state()
    }
}

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
fn a_healthy_past_of_any_size_is_forgotten_after_the_window() {
    for healthy in [0, 1_000, 100_000, 1_000_000] {
        let bench = Bench::by_share();
        bench.succeed(healthy);
        bench.pass(10_000);
        let failures = (1..=1_000)
            .find(|_| {
                bench.fail(1);
                bench.state() == State::Open
            })
            .unwrap();
        assert_eq!(failures, 20, "after {healthy} healthy calls");
    }
}

#[test]
fn the_row_opens_it_after_any_healthy_past_without_waiting_for_the_window() {
    for healthy in [0, 1_000, 100_000] {
        let bench = Bench::new(BreakerSettings::default());
        bench.succeed(healthy);
        bench.fail(5);
        assert_eq!(bench.state(), State::Open);
    }
}

#[test]
fn of_a_thousand_callers_only_the_probes_pass_when_half_open() {
    let bench = Bench::ready_for_probes();
    let permits: Vec<_> = (0..1_000)
        .filter_map(|_| bench.breaker.acquire(bench.now()).ok())
        .collect();
    assert_eq!(permits.len(), 3);
    assert_eq!(bench.state(), State::HalfOpen);
}

#[test]
fn of_callers_on_many_threads_only_the_probes_pass_when_half_open() {
    for _ in 0..50 {
        let bench = Bench::ready_for_probes();
        let (breaker, now) = (&bench.breaker, bench.now());
        let (passed, barrier) = (AtomicUsize::new(0), std::sync::Barrier::new(8));
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
fn a_cancelled_probe_gives_its_place_back_and_says_nothing() {
    let bench = Bench::ready_for_probes();
    for _ in 0..100 {
        drop(bench.breaker.acquire(bench.now()).unwrap());
        assert_eq!(bench.state(), State::HalfOpen);
    }
    bench.succeed(3);
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn a_probe_that_never_comes_back_does_not_wedge_it() {
    let bench = Bench::ready_for_probes();
    let lost: Vec<_> = (0..3)
        .map(|_| bench.breaker.acquire(bench.now()).unwrap())
        .collect();
    assert!(bench.breaker.acquire(bench.now()).is_err());
    bench.pass(10_000);
    bench.succeed(3);
    assert_eq!(bench.state(), State::Closed);
    // When they do come back after all, they have nothing to say.
    for permit in lost {
        permit.record(Verdict::Failure, bench.now());
    }
    assert_eq!(bench.breaker.snapshot(bench.now()).window_failures, 0);
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

#[test]
fn a_success_from_before_the_outage_does_not_end_it() {
    let bench = Bench::new(BreakerSettings::default());
    let stale: Vec<_> = (0..9)
        .map(|_| bench.breaker.acquire(bench.now()).unwrap())
        .collect();
    bench.fail(5);
    bench.rest();
    let probe = bench.breaker.acquire(bench.now()).unwrap();
    for permit in stale {
        permit.record(Verdict::Success, bench.now());
    }
    assert_eq!(bench.state(), State::HalfOpen);
    probe.record(Verdict::Failure, bench.now());
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn a_failure_from_before_the_outage_does_not_reopen_it() {
    let bench = Bench::new(BreakerSettings::default());
    let stale: Vec<_> = (0..9)
        .map(|_| bench.breaker.acquire(bench.now()).unwrap())
        .collect();
    bench.fail(5);
    bench.rest();
    bench.succeed(3);
    for permit in stale {
        permit.record(Verdict::Failure, bench.now());
    }
    assert_eq!(bench.state(), State::Closed);
    assert_eq!(bench.breaker.snapshot(bench.now()).consecutive_failures, 0);
}

#[tokio::test(start_paused = true)]
async fn hung_calls_given_up_inside_the_permit_open_it() {
    let breaker = Breaker::new(&BreakerSettings::default(), Instant::now(), 7).unwrap();
    for _ in 0..5 {
        let permit = breaker.acquire(Instant::now()).unwrap();
        let hung = tokio::time::timeout(Duration::from_secs(2), std::future::pending::<()>());
        assert!(hung.await.is_err());
        permit.record(Verdict::Failure, Instant::now());
    }
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn throttling_counts_in_the_share_and_fails_a_probe_but_makes_no_row() {
    let bench = Bench::new(BreakerSettings::default());
    (0..19).for_each(|_| bench.call(Verdict::Throttled).unwrap());
    assert_eq!(bench.state(), State::Closed);
    bench.call(Verdict::Throttled).unwrap();
    assert_eq!(bench.state(), State::Open);
    bench.rest();
    bench.call(Verdict::Throttled).unwrap();
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn each_failed_probe_doubles_the_rest_up_to_a_minute() {
    let bench = Bench::new(BreakerSettings::default());
    bench.fail(5);
    for length in [5_000, 10_000, 20_000, 40_000, 60_000, 60_000] {
        let rest = bench.breaker.snapshot(bench.now()).retry_after_ms;
        assert!((length / 2..=length).contains(&rest), "{rest} of {length}");
        bench.pass(rest);
        bench.fail(1);
    }
    let rest = bench.breaker.snapshot(bench.now()).retry_after_ms;
    bench.pass(rest);
    bench.succeed(3);
    bench.fail(5);
    assert!(bench.breaker.snapshot(bench.now()).retry_after_ms <= 5_000);
}

#[test]
fn the_count_starts_anew_after_closing() {
    let bench = Bench::by_share();
    bench.fail(20);
    bench.rest();
    bench.succeed(3);
    bench.succeed(10);
    bench.fail(9);
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn an_operator_can_open_close_and_only_watch() {
    let bench = Bench::new(BreakerSettings::default());
    bench.breaker.set_mode(Mode::ForcedOpen);
    assert!(bench.call(Verdict::Success).is_err());
    assert!(bench.breaker.peek(bench.now()).is_err());
    bench.breaker.set_mode(Mode::ForcedClosed);
    bench.fail(100);
    assert_eq!(bench.state(), State::Closed);
    bench.breaker.set_mode(Mode::Shadow);
    bench.fail(100);
    assert_eq!(bench.state(), State::Open);
    assert_eq!(bench.breaker.peek(bench.now()), Ok(()));
    bench.breaker.set_mode(Mode::Automatic);
    assert!(bench.call(Verdict::Success).is_err());
}

#[test]
fn every_change_of_state_is_told_once_and_in_order() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    let now = Instant::now();
    let breaker = Breaker::new(&BreakerSettings::default(), now, 7)
        .unwrap()
        .on_transition(move |change| log.lock().unwrap().push((change.from, change.to)));
    let bench = Bench {
        breaker,
        now: Cell::new(now),
    };
    bench.fail(5);
    bench.rest();
    bench.succeed(3);
    assert_eq!(
        *heard.lock().unwrap(),
        [
            (State::Closed, State::Open),
            (State::Open, State::HalfOpen),
            (State::HalfOpen, State::Closed),
        ]
    );
}

proptest! {
    /// Any history of calls that start, end and vanish keeps the promises of the module.
    #[test]
    fn whatever_happens_the_promises_hold(
        steps in prop::collection::vec((0..6_000_u64, 0..5_u8, any::<prop::sample::Index>()), 1..400),
    ) {
        let bench = Bench::new(BreakerSettings::default());
        let breaker = &bench.breaker;
        let mut open = Vec::new();
        for (pause_ms, action, index) in steps {
            bench.pass(pause_ms);
            let before = breaker.snapshot(bench.now());
            if action <= 1 {
                let peeked = breaker.peek(bench.now()).is_ok();
                let granted = breaker.acquire(bench.now());
                prop_assert_eq!(peeked, granted.is_ok());
                match before.state {
                    State::Closed => prop_assert!(granted.is_ok()),
                    State::Open => prop_assert_eq!(granted.is_ok(), before.retry_after_ms == 0),
                    State::HalfOpen => {}
                }
                open.extend(granted);
            } else if !open.is_empty() {
                let permit = open.swap_remove(index.index(open.len()));
                let current = permit.generation == breaker.load().generation;
                match action {
                    2 => permit.record(Verdict::Success, bench.now()),
                    3 => permit.record(Verdict::Failure, bench.now()),
                    _ => drop(permit),
                }
                if !current {
                    prop_assert_eq!(breaker.snapshot(bench.now()), before);
                }
            }
            let machine = breaker.load();
            let probing = open.iter().filter(|permit| {
                permit.role == Role::Probe && permit.generation == machine.generation
            });
            if let Phase::HalfOpen { in_flight, passed, .. } = machine.phase {
                prop_assert_eq!(usize::from(in_flight), probing.count());
                prop_assert!(in_flight + passed <= 3 && passed < 3);
            }
        }
    }
}
