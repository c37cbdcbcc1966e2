//! Retry budgets and bulkheads.

use std::future::ready;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use execution_policy::{ConcurrencyLimit, ExecutionPolicyBuilder, Retry};
use governor::{Quota, RateLimiter};
use lyceum_bench::race::{Contestant, at_once};
use lyceum_resilience::budget::{BudgetSettings, RetryBudget};
use lyceum_resilience::bulkhead::{Bulkhead, BulkheadSettings};
use lyceum_resilience::deadline::{Deadline, Instant};
use tower::retry::budget::{Budget as _, TpsBudget};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience_bulkhead::{BulkheadError, BulkheadLayer};
use tower_resilience_retry::RetryBudgetBuilder;

const TEN_SECONDS: Duration = Duration::from_secs(10);
/// As many at once as an upstream of ours has by default.
const IN_FLIGHT: usize = 64;

fn ours() -> RetryBudget {
    RetryBudget::new(&BudgetSettings::default(), Instant::now()).unwrap()
}

pub(crate) fn deposits() -> Vec<Contestant> {
    let now = Instant::now();
    let (timeless, timed) = (ours(), ours());
    let tps = TpsBudget::new(TEN_SECONDS, 10, 0.2);
    let bucket = RetryBudgetBuilder::new().token_bucket().build().unwrap();
    vec![
        Contestant::new("lyceum-resilience, time passed in", move || {
            timeless.deposit(now);
        }),
        Contestant::new("lyceum-resilience, the clock read", move || {
            timed.deposit(Instant::now());
        }),
        Contestant::new("tower TpsBudget", move || tps.deposit()),
        Contestant::new("tower-resilience-retry, token bucket", move || {
            bucket.deposit();
        }),
    ]
}

pub(crate) fn withdrawals() -> Vec<Contestant> {
    let now = Instant::now();
    let (timeless, timed) = (ours(), ours());
    let tps = TpsBudget::new(TEN_SECONDS, 10, 0.2);
    let bucket = RetryBudgetBuilder::new().token_bucket().build().unwrap();
    let quota = Quota::per_second(NonZeroU32::MAX);
    let limiter = RateLimiter::direct(quota);
    vec![
        Contestant::new("lyceum-resilience, time passed in, given back", move || {
            timeless.reserve(now).is_some()
        }),
        Contestant::new("lyceum-resilience, the clock read, given back", move || {
            timed.reserve(Instant::now()).is_some()
        }),
        Contestant::new("tower TpsBudget, and a deposit to pay it", move || {
            tps.deposit();
            tps.withdraw()
        }),
        Contestant::new(
            "tower-resilience-retry, token bucket, and a deposit",
            move || {
                bucket.deposit();
                bucket.try_withdraw()
            },
        ),
        Contestant::new("governor, a rate limiter", move || limiter.check().is_ok()),
    ]
}

pub(crate) fn places() -> Vec<Contestant> {
    let deadline = Deadline::after(Duration::from_mins(10));
    let bulkhead = Bulkhead::new(&BulkheadSettings::default()).unwrap();
    let semaphore = Arc::new(tokio::sync::Semaphore::new(IN_FLIGHT));
    let mut limited = tower::limit::ConcurrencyLimitLayer::new(IN_FLIGHT)
        .layer(service_fn(|()| ready(Ok::<_, BulkheadError>(()))));
    let layer = BulkheadLayer::builder()
        .max_concurrent_calls(IN_FLIGHT)
        .build()
        .unwrap();
    let mut bulkheaded = layer.layer(service_fn(|()| ready(Ok::<_, BulkheadError>(()))));
    let policy = ExecutionPolicyBuilder::<(), BulkheadError>::new()
        .retry(Retry::none())
        .concurrency_limit(ConcurrencyLimit::operations(IN_FLIGHT))
        .build();
    vec![
        Contestant::new("lyceum-resilience", move || {
            at_once(bulkhead.acquire(deadline)).is_ok()
        }),
        Contestant::new("tokio Semaphore, try_acquire", move || {
            semaphore.try_acquire().is_ok()
        }),
        Contestant::new("tower ConcurrencyLimit", move || {
            at_once(async { limited.ready().await.unwrap().call(()).await.unwrap() });
        }),
        Contestant::new("execution-policy, concurrency limit alone", move || {
            at_once(policy.run(async || Ok(()))).unwrap();
        }),
        Contestant::new("tower-resilience-bulkhead", move || {
            at_once(async { bulkheaded.ready().await.unwrap().call(()).await.unwrap() });
        }),
    ]
}
