//! What a retry budget allows.

use std::time::Duration;

use lyceum_resilience::budget::{BudgetSettings, Reservation, RetryBudget};
use lyceum_resilience::deadline::Instant;

fn budget(percent: u8, floor_per_second: u32, now: Instant) -> RetryBudget {
    let settings = BudgetSettings {
        percent,
        floor_per_second,
        ..BudgetSettings::default()
    };
    RetryBudget::new(&settings, now).unwrap()
}

fn spend(budget: &RetryBudget, now: Instant) -> bool {
    budget.reserve(now).map(Reservation::spend).is_some()
}

#[test]
fn ten_thousand_failing_calls_at_any_percentage_repeat_exactly_that_share() {
    let now = Instant::now();
    for percent in 1..=100 {
        let budget = budget(percent, 0, now);
        let repeats = (0..10_000).filter(|_| {
            budget.deposit(now);
            spend(&budget, now)
        });
        assert_eq!(repeats.count(), usize::from(percent) * 100, "{percent} %");
    }
}

#[test]
fn callers_on_many_threads_repeat_no_more_than_the_share() {
    const THREADS: u64 = 4;
    const CALLS: u64 = 2_000;
    let now = Instant::now();
    for percent in [1, 10, 33, 50, 99, 100] {
        let budget = budget(percent, 3, now);
        let call = |_: &u64| {
            budget.deposit(now);
            spend(&budget, now)
        };
        let repeats: usize = std::thread::scope(|scope| {
            let calls = || (0..CALLS).filter(call).count();
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(calls)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        let allowed = usize::try_from(THREADS * CALLS * u64::from(percent) / 100 + 30).unwrap();
        assert!(repeats <= allowed, "{repeats} of {allowed} at {percent} %");
        // What contention refused is granted now, to the last one.
        let late = (0..=allowed).filter(|_| spend(&budget, now)).count();
        assert_eq!(repeats + late, allowed, "{percent} %");
    }
}

#[test]
fn a_quiet_client_has_the_floor_and_no_more() {
    let now = Instant::now();
    let budget = budget(10, 3, now);
    assert_eq!(budget.balance(now), 30);
    assert_eq!((0..100).filter(|_| spend(&budget, now)).count(), 30);
    assert_eq!(budget.balance(now), 0);
}

#[test]
fn repeats_refused_on_the_way_cost_nothing() {
    let now = Instant::now();
    let budget = budget(0, 1, now);
    for _ in 0..100 {
        assert!(budget.reserve(now).is_some());
    }
    assert_eq!(budget.balance(now), 10);
}

#[test]
fn a_budget_that_is_spent_refills_with_time_alone() {
    let now = Instant::now();
    let budget = budget(10, 1, now);
    (0..1_000).for_each(|_| budget.deposit(now));
    while spend(&budget, now) {}
    assert_eq!(budget.balance(now), 0);
    assert_eq!(budget.balance(now + Duration::from_secs(10)), 10);
}

/// Three services in a row, the last of them dead; each calls the next one and repeats what failed once.
#[test]
fn three_hops_of_a_tenth_make_at_most_a_third_more_of_the_calls() {
    let now = Instant::now();
    let hops = [(); 3].map(|()| budget(10, 0, now));
    let mut sent = 0;
    for _ in 0..10_000 {
        send(&hops, now, &mut sent);
    }
    assert!((13_200..=13_310).contains(&sent), "{sent}");
}

fn send(hops: &[RetryBudget], now: Instant, sent: &mut u32) {
    let Some((hop, next)) = hops.split_first() else {
        *sent += 1;
        return;
    };
    hop.deposit(now);
    send(next, now, sent);
    if spend(hop, now) {
        send(next, now, sent);
    }
}
