//! Whole pipelines on the happy path, around work that is nothing.

use std::future::ready;
use std::time::Duration;

use execution_policy::{
    CircuitBreaker, ConcurrencyLimit, ExecutionPolicyBuilder, Retry, RetryBudget as PolicyBudget,
};
use lyceum_bench::race::{Contestant, at_once};
use lyceum_client::UpstreamSettings;
use lyceum_client::testing::{Act, Script};
use lyceum_contracts::course::UserStats;
use lyceum_contracts::ids::UserId;
use lyceum_resilience::breaker::{Breaker, Verdict};
use lyceum_resilience::budget::{BudgetSettings, RetryBudget};
use lyceum_resilience::bulkhead::{Bulkhead, BulkheadSettings};
use lyceum_resilience::deadline::{Deadline, Instant};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_resilience_bulkhead::BulkheadLayer;
use tower_resilience_circuitbreaker::CircuitBreakerLayer;
use tower_resilience_core::{ResilienceError, ResilienceErrorLayer};
use tower_resilience_retry::{RetryBudgetBuilder, RetryLayer};
use tower_resilience_timelimiter::TimeLimiterLayer;

use crate::breakers::{Failed, ours};

const ATTEMPT: Duration = Duration::from_secs(2);
const TOTAL: Duration = Duration::from_secs(5);
const IN_FLIGHT: usize = 64;

/// Our parts put together as `lyceum-client` does, the clock included.
struct Parts {
    breaker: Breaker,
    budget: RetryBudget,
    bulkhead: Bulkhead,
}

impl Parts {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            breaker: ours(now),
            budget: RetryBudget::new(&BudgetSettings::default(), now).unwrap(),
            bulkhead: Bulkhead::new(&BulkheadSettings::default()).unwrap(),
        }
    }

    async fn call(&self) -> Result<(), Failed> {
        let begun = Instant::now();
        let deadline = Deadline::starting(begun, TOTAL);
        self.breaker.peek(begun).map_err(|_| Failed)?;
        let _slot = self.bulkhead.acquire(deadline).await.map_err(|_| Failed)?;
        let now = Instant::now();
        let left = deadline.remaining(now).ok_or(Failed)?;
        let permit = self.breaker.acquire(now).map_err(|_| Failed)?;
        self.budget.deposit(now);
        let until = now + left.min(ATTEMPT);
        let answer = tokio::time::timeout_at(until, ready(Ok(()))).await;
        permit.record(Verdict::Success, Instant::now());
        answer.map_err(|_| Failed)?
    }
}

pub(crate) fn policies() -> Vec<Contestant> {
    let parts = Parts::new();
    let mut tower = ServiceBuilder::new()
        .timeout(TOTAL)
        .load_shed()
        .concurrency_limit(IN_FLIGHT)
        .timeout(ATTEMPT)
        .service(service_fn(|()| ready(Ok::<_, Failed>(()))));
    let policy = ExecutionPolicyBuilder::<(), Failed>::new()
        .total_timeout(TOTAL)
        .retry(
            Retry::exponential()
                .max_attempts(2)
                .budget(PolicyBudget::standard()),
        )
        .concurrency_limit(ConcurrencyLimit::attempts(IN_FLIGHT))
        .circuit_breaker(CircuitBreaker::failure_ratio())
        .attempt_timeout(ATTEMPT)
        .build();
    let mut microsoft = microsoft_order();
    vec![
        Contestant::new(
            "lyceum-resilience: deadline, bulkhead, breaker, budget, attempt timeout",
            move || {
                at_once(parts.call()).unwrap();
            },
        ),
        Contestant::new(
            "tower: timeout, load shed, concurrency limit, timeout; no breaker, no retry",
            move || {
                at_once(async { tower.ready().await.unwrap().call(()).await.unwrap() });
            },
        ),
        Contestant::new(
            "execution-policy: total timeout, retry with budget, concurrency limit, breaker, attempt timeout",
            move || {
                at_once(policy.run(async || Ok(()))).unwrap();
            },
        ),
        Contestant::new(
            "tower-resilience in Microsoft's order: bulkhead, total timeout, retry with budget, breaker, attempt timeout",
            move || {
                microsoft();
            },
        ),
    ]
}

fn microsoft_order() -> impl FnMut() {
    let budget = RetryBudgetBuilder::new().token_bucket().build().unwrap();
    let retry = RetryLayer::<(), (), ResilienceError<Failed>>::builder()
        .max_attempts(2)
        .budget(budget)
        .build();
    let timeout = |length| TimeLimiterLayer::builder().timeout_duration(length).build();
    let mut service = ServiceBuilder::new()
        .layer(ResilienceErrorLayer::<_, Failed>::new(
            BulkheadLayer::builder()
                .max_concurrent_calls(IN_FLIGHT)
                .build()
                .unwrap(),
        ))
        .layer(ResilienceErrorLayer::<_, Failed>::new(timeout(TOTAL)))
        .layer(retry)
        .layer(ResilienceErrorLayer::<_, Failed>::new(
            CircuitBreakerLayer::builder().build().unwrap(),
        ))
        .layer(ResilienceErrorLayer::<_, Failed>::new(timeout(ATTEMPT)))
        .service(service_fn(|()| ready(Ok::<_, Failed>(()))));
    move || at_once(async { service.ready().await.unwrap().call(()).await.unwrap() })
}

/// A client whose peer answers at once, in this process: what a typed client does per call.
pub(crate) fn client() -> Vec<Contestant> {
    let stats = serde_json::json!({"enrolled": 12, "dropped": 3, "teaching": 0});
    let peer = Script::always(Act::json(200, &stats));
    let courses = peer
        .upstream("course", &UpstreamSettings::default())
        .unwrap();
    let user = UserId::try_from(7).unwrap();
    vec![Contestant::new("lyceum-client", move || {
        let path = format!("/users/{user}/stats");
        at_once(courses.get("course.stats_of", path).json::<UserStats>()).unwrap()
    })]
}
