//! The happy path allocates nothing, and a million calls leave nothing behind but their count.

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use lyceum_resilience::breaker::{Breaker, BreakerSettings, Verdict};
use lyceum_resilience::budget::{BudgetSettings, Reservation, RetryBudget};
use lyceum_resilience::bulkhead::{Bulkhead, BulkheadSettings, Signal};
use lyceum_resilience::deadline::{Deadline, Instant};

fn allocations(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(Box::new(7)))), 1);
}

#[test]
fn a_million_calls_past_a_breaker_allocate_nothing() {
    let now = Instant::now();
    let breaker = Breaker::new(&BreakerSettings::default(), now, 7).unwrap();
    let calls = allocations(|| {
        for call in 0..1_000_000 {
            let now = now + Duration::from_micros(call);
            breaker.acquire(now).unwrap().record(Verdict::Success, now);
        }
    });
    assert_eq!(calls, 0);
    assert_eq!(
        breaker.snapshot(now + Duration::from_secs(1)).window_calls,
        1_000_000
    );
}

#[test]
fn an_outage_and_the_way_back_from_it_allocate_nothing() {
    let mut now = Instant::now();
    let breaker = Breaker::new(&BreakerSettings::default(), now, 7).unwrap();
    let outage = allocations(|| {
        for call in 0..100_000 {
            now += Duration::from_millis(1);
            let verdict = match call {
                0..10 => Verdict::Failure,
                _ => Verdict::Success,
            };
            if let Ok(permit) = breaker.acquire(now) {
                permit.record(verdict, now);
            }
            drop(breaker.acquire(now));
            black_box(breaker.snapshot(now));
        }
    });
    assert_eq!(outage, 0);
}

#[test]
fn a_budget_allocates_nothing() {
    let now = Instant::now();
    let budget = RetryBudget::new(&BudgetSettings::default(), now).unwrap();
    let calls = allocations(|| {
        for call in 0..100_000 {
            let now = now + Duration::from_millis(call);
            budget.deposit(now);
            drop(budget.reserve(now));
            black_box(budget.reserve(now).map(Reservation::spend));
        }
    });
    assert_eq!(calls, 0);
}

#[test]
fn a_free_slot_of_a_bulkhead_is_taken_and_given_back_without_an_allocation() {
    let bulkhead = Bulkhead::new(&BulkheadSettings::default()).unwrap();
    let deadline = Deadline::after(Duration::from_secs(5));
    let calls = allocations(|| {
        for _ in 0..10_000 {
            let mut acquiring = pin!(bulkhead.acquire(deadline));
            let slot = acquiring
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(Ok(slot)) = slot else {
                panic!("no slot is free");
            };
            slot.record(Signal::Done);
        }
    });
    assert_eq!(calls, 0);
}
