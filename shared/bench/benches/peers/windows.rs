//! What a call costs when many others are still in the breaker's window.

use std::future::ready;
use std::time::{Duration, Instant as Clock};

use lyceum_bench::race::{Contestant, at_once};
use lyceum_resilience::breaker::Verdict;
use lyceum_resilience::deadline::Instant;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience_circuitbreaker::{CircuitBreakerLayer, SlidingWindowType};

use crate::breakers::{Failed, ours};

const OURS: [u32; 4] = [0, 1_000, 100_000, 1_000_000];
/// A list that is read through at each call takes the square of this to fill: seconds for the last,
/// minutes for a million.
const THEIRS: [u32; 4] = [0, 1_000, 10_000, 100_000];
/// Windows up to this are filled anew for each batch; longer ones hardly notice the calls measured.
const REFILLED: u32 = 1_000;
/// Calls per batch of ours: each batch has a breaker of its own, filled as the row says.
const MANY: u32 = 1_000;
/// Calls per batch of theirs, few, because each makes the next one dearer.
const FEW: u32 = 20;
/// Nothing falls out of the window while it is measured.
const WINDOW: Duration = Duration::from_mins(10);

pub(crate) fn contestants() -> Vec<Contestant> {
    let ours = OURS.into_iter().map(of_ours);
    let theirs = THEIRS.into_iter().map(of_theirs);
    ours.chain(theirs).collect()
}

fn of_ours(calls: u32) -> Contestant {
    let work = move |times| {
        let now = Instant::now();
        let mut breaker = None;
        allocation_counter::opt_out(|| breaker = Some(ours(now)));
        let breaker = breaker.unwrap();
        let pass = || breaker.acquire(now).unwrap().record(Verdict::Success, now);
        for _ in 0..calls {
            pass();
        }
        let begun = Clock::now();
        for _ in 0..times {
            pass();
        }
        let taken = begun.elapsed();
        allocation_counter::opt_out(|| drop(breaker));
        taken
    };
    Contestant::prepared(format!("lyceum-resilience, {calls}"), MANY, work)
}

fn of_theirs(calls: u32) -> Contestant {
    let mut filled = filled(calls);
    let work = move |times| {
        if calls <= REFILLED {
            allocation_counter::opt_out(|| filled = self::filled(calls));
        }
        let begun = Clock::now();
        for _ in 0..times {
            filled();
        }
        begun.elapsed()
    };
    Contestant::prepared(
        format!("tower-resilience-circuitbreaker, {calls}"),
        FEW,
        work,
    )
}

/// A breaker that has seen so many calls.
fn filled(calls: u32) -> Box<dyn FnMut()> {
    let layer = CircuitBreakerLayer::builder()
        .sliding_window_type(SlidingWindowType::TimeBased)
        .sliding_window_duration(WINDOW)
        .build()
        .unwrap();
    let mut service = layer.layer(service_fn(|()| ready(Ok::<_, Failed>(()))));
    let mut pass =
        move || at_once(async { service.ready().await.unwrap().call(()).await.unwrap() });
    for _ in 0..calls {
        pass();
    }
    Box::new(pass)
}
