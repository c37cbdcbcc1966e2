//! What a call costs when many others are still in the breaker's window.

use std::future::ready;
use std::time::Duration;

use lyceum_bench::race::{Contestant, at_once};
use lyceum_resilience::breaker::Verdict;
use lyceum_resilience::deadline::Instant;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience_circuitbreaker::{CircuitBreakerLayer, SlidingWindowType};

use crate::breakers::{Failed, ours};

/// Ours holds counts, so a million costs no more to fill than to hold.
const OURS: [u32; 4] = [0, 1_000, 100_000, 1_000_000];
/// A list of calls that is read through at each one takes the square of this to fill.
const THEIRS: [u32; 4] = [0, 1_000, 10_000, 60_000];

pub(crate) fn contestants() -> Vec<Contestant> {
    let now = Instant::now();
    let ours = OURS.into_iter().map(|calls| {
        let breaker = ours(now);
        let pass = move || breaker.acquire(now).unwrap().record(Verdict::Success, now);
        for _ in 0..calls {
            pass();
        }
        Contestant::new(format!("lyceum-resilience, {calls}"), pass)
    });
    let theirs = THEIRS.into_iter().map(|calls| {
        let layer = CircuitBreakerLayer::builder()
            .sliding_window_type(SlidingWindowType::TimeBased)
            .sliding_window_duration(Duration::from_secs(600))
            .build()
            .unwrap();
        let mut service = layer.layer(service_fn(|()| ready(Ok::<_, Failed>(()))));
        let mut pass =
            move || at_once(async { service.ready().await.unwrap().call(()).await.unwrap() });
        for _ in 0..calls {
            pass();
        }
        Contestant::new(
            format!("tower-resilience-circuitbreaker, {calls} and more"),
            pass,
        )
    });
    ours.chain(theirs).collect()
}
