//! Circuit breakers: a call that succeeds, and one that is refused.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use execution_policy::{CircuitBreaker as PolicyBreaker, ExecutionPolicyBuilder, Retry};
use lyceum_bench::race::{Contestant, at_once, on_two_threads};
use lyceum_resilience::breaker::{Breaker, BreakerSettings, Verdict};
use lyceum_resilience::deadline::Instant;
use recloser::{AsyncRecloser, Recloser};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience_circuitbreaker::CircuitBreakerLayer;

/// The same work everywhere: none.
type Answer = Result<(), Failed>;

/// What a call that fails brings.
#[derive(Debug, Clone, thiserror::Error)]
#[error("failed")]
pub(crate) struct Failed;

/// Long enough that no breaker tries again while it is measured.
const LONG: Duration = Duration::from_mins(10);

pub(crate) fn ours(now: Instant) -> Breaker {
    Breaker::new(&BreakerSettings::default(), now, 7).unwrap()
}

fn pass(breaker: &Breaker, now: Instant) {
    breaker.acquire(now).unwrap().record(Verdict::Success, now);
}

pub(crate) fn closed() -> Vec<Contestant> {
    let now = Instant::now();
    let (timeless, timed) = (ours(now), ours(now));
    let (calm, calm_async) = (
        Recloser::default(),
        AsyncRecloser::from(Recloser::default()),
    );
    let (safe, safe_async) = (
        failsafe::Config::new().build(),
        failsafe::Config::new().build(),
    );
    let layer = CircuitBreakerLayer::builder().build().unwrap();
    let mut service = layer.layer(service_fn(|()| ready(Answer::Ok(()))));
    let policy = ExecutionPolicyBuilder::<(), Failed>::new()
        .retry(Retry::none())
        .circuit_breaker(PolicyBreaker::consecutive_failures(5))
        .build();
    vec![
        Contestant::new("lyceum-resilience, time passed in", move || {
            pass(&timeless, now);
        }),
        Contestant::new("lyceum-resilience, the clock read twice", move || {
            let permit = timed.acquire(Instant::now()).unwrap();
            permit.record(Verdict::Success, Instant::now());
        }),
        Contestant::new("recloser", move || calm.call(|| Answer::Ok(())).unwrap()),
        Contestant::new("recloser, async", move || {
            at_once(calm_async.call(ready(Answer::Ok(())))).unwrap();
        }),
        Contestant::new("failsafe", move || {
            failsafe::CircuitBreaker::call(&safe, || Answer::Ok(())).unwrap();
        }),
        Contestant::new("failsafe, async", move || {
            at_once(failsafe::futures::CircuitBreaker::call(
                &safe_async,
                ready(Answer::Ok(())),
            ))
            .unwrap();
        }),
        Contestant::new("execution-policy, breaker alone", move || {
            at_once(policy.run(async || Answer::Ok(()))).unwrap();
        }),
        Contestant::new("tower-resilience-circuitbreaker", move || {
            at_once(async { service.ready().await.unwrap().call(()).await.unwrap() });
        }),
    ]
}

pub(crate) fn closed_on_two_threads() -> Vec<Contestant> {
    let now = Instant::now();
    let (timeless, timed) = (ours(now), ours(now));
    let calm = Recloser::default();
    let safe = failsafe::Config::new().build();
    let layer = CircuitBreakerLayer::builder().build().unwrap();
    let service = layer.layer(service_fn(|()| ready(Answer::Ok(()))));
    vec![
        Contestant::of_threads("lyceum-resilience, time passed in", move |times| {
            on_two_threads(times, || pass(&timeless, now));
        }),
        Contestant::of_threads("lyceum-resilience, the clock read twice", move |times| {
            on_two_threads(times, || {
                let permit = timed.acquire(Instant::now()).unwrap();
                permit.record(Verdict::Success, Instant::now());
            });
        }),
        Contestant::of_threads("recloser", move |times| {
            on_two_threads(times, || calm.call(|| Answer::Ok(())).unwrap());
        }),
        Contestant::of_threads("failsafe", move |times| {
            on_two_threads(times, || {
                failsafe::CircuitBreaker::call(&safe, || Answer::Ok(())).unwrap();
            });
        }),
        Contestant::of_threads(
            "tower-resilience-circuitbreaker, a clone each",
            move |times| {
                std::thread::scope(|scope| {
                    for _ in 0..2 {
                        let mut service = service.clone();
                        scope.spawn(move || {
                            for _ in 0..times {
                                at_once(async {
                                    service.ready().await.unwrap().call(()).await.unwrap();
                                });
                            }
                        });
                    }
                });
            },
        ),
    ]
}

pub(crate) fn open() -> Vec<Contestant> {
    let now = Instant::now();
    let breaker = ours(now);
    while let Ok(permit) = breaker.acquire(now) {
        permit.record(Verdict::Failure, now);
    }
    let calm = Recloser::custom().closed_len(1).open_wait(LONG).build();
    while !matches!(
        calm.call(|| Answer::Err(Failed)),
        Err(recloser::Error::Rejected)
    ) {}
    let policy =
        failsafe::failure_policy::consecutive_failures(1, failsafe::backoff::constant(LONG));
    let safe = failsafe::Config::new().failure_policy(policy).build();
    while !matches!(
        failsafe::CircuitBreaker::call(&safe, || Answer::Err(Failed)),
        Err(failsafe::Error::Rejected)
    ) {}
    let layer = CircuitBreakerLayer::builder()
        .consecutive_failures(1)
        .wait_duration_in_open(LONG)
        .build()
        .unwrap();
    let mut service = layer.layer(service_fn(|()| ready(Answer::Err(Failed))));
    let policy = ExecutionPolicyBuilder::<(), Failed>::new()
        .retry(Retry::none())
        .circuit_breaker(PolicyBreaker::consecutive_failures(1).open_for(LONG))
        .build();
    for _ in 0..3 {
        at_once(async { service.ready().await.unwrap().call(()).await.unwrap_err() });
        at_once(policy.run(async || Answer::Err(Failed))).unwrap_err();
    }
    let policy = Arc::new(policy);
    vec![
        Contestant::new("lyceum-resilience", move || {
            breaker.acquire(now).unwrap_err()
        }),
        Contestant::new("recloser", move || {
            calm.call(|| Answer::Ok(())).unwrap_err()
        }),
        Contestant::new("failsafe", move || {
            failsafe::CircuitBreaker::call(&safe, || Answer::Ok(())).unwrap_err()
        }),
        Contestant::new("execution-policy, breaker alone", move || {
            at_once(policy.run(async || Answer::Ok(()))).unwrap_err();
        }),
        Contestant::new("tower-resilience-circuitbreaker", move || {
            at_once(async { service.ready().await.unwrap().call(()).await.unwrap_err() });
        }),
    ]
}
