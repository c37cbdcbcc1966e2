//! Any history of calls, against the inside of the breaker.

use std::cell::Cell;

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

    fn now(&self) -> Instant {
        self.now.get()
    }

    fn pass(&self, millis: u64) {
        self.now.set(self.now() + Duration::from_millis(millis));
    }
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
                prop_assert!(peeked == granted.is_ok() || before.ramping_percent.is_some());
                match before.state {
                    State::Closed => prop_assert!(granted.is_ok() || before.ramping_percent.is_some()),
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
