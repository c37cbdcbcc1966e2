//! Collector and database go away and come back; nobody restarts a service.

use std::collections::BTreeSet;
use std::time::Duration;

use lyceum_stack_test::load::{Watch, callers};
use lyceum_stack_test::stack::SERVICES;
use lyceum_stack_test::viewer::Viewer;
use lyceum_stack_test::{Stack, eventually};
use lyceum_testing::people::{Apis, Person, trace_of};

/// Answers per measurement.
const ANSWERS: u64 = 4_000;

/// Pairs of measurements. These machines are noisy: the collector is acquitted by one pair.
const ROUNDS: usize = 4;

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn without_the_collector_services_stay_ready_and_as_fast() {
    let stack = Stack::running().await;
    let apis = stack.apis();
    let ada = apis.register("Ada").await;
    p95(&apis, &ada).await;
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let with = p95(&apis, &ada).await;
        stack.compose(&["stop", "collector"]).await;
        for service in SERVICES {
            let operations = stack.operations(service);
            let ready = operations.get("/health/ready").send().await;
            ready.expect(200);
        }
        let without = p95(&apis, &ada).await;
        stack.compose(&["start", "collector"]).await;
        let ratio = without.as_secs_f64() / with.as_secs_f64();
        println!("p95 with collector {with:.2?}, without {without:.2?}: {ratio:.2}");
        ratios.push(ratio);
        if ratio <= 1.1 {
            break;
        }
    }
    assert!(
        ratios.iter().any(|ratio| *ratio <= 1.1),
        "slower by more than a tenth each time: {ratios:?}"
    );
    // And it is told again.
    let viewer = Viewer::emptied(&stack).await;
    let answer = apis.ask_overview(&ada).await.expect(200);
    let trace = trace_of(&answer);
    viewer.wait_for(&trace, |spans| !spans.is_empty()).await;
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn postgres_restarted_heals_without_a_service_restarted() {
    let stack = Stack::running().await;
    let apis = stack.apis();
    let ada = apis.register("Ada").await;
    let begun = started(&stack).await;
    let ready = async |service: &str| {
        let answer = stack
            .operations(service)
            .get("/health/ready")
            .try_send()
            .await;
        answer.map_or(0, |answer| answer.status)
    };

    stack.compose(&["stop", "postgres"]).await;
    let mut answers = BTreeSet::new();
    for (service, path) in SERVICES
        .into_iter()
        .zip(["/users/me", "/courses", "/notifications"])
    {
        eventually("not ready", async || {
            (ready(service).await == 503).then_some(())
        })
        .await;
        let api = stack.api(service);
        let answer = api.get(path).bearer(&ada.token).send().await;
        answers.insert((answer.status, answer.problem().title));
    }
    println!("without Postgres: {answers:?}");
    assert!(
        answers.iter().all(|(status, _)| *status == 503),
        "{answers:?}"
    );

    stack.compose(&["start", "postgres"]).await;
    for service in SERVICES {
        eventually("ready again", async || {
            (ready(service).await == 200).then_some(())
        })
        .await;
    }
    let me = apis.user.get("/users/me").bearer(&ada.token);
    me.send().await.expect(200);
    eventually("whole", async || {
        let overview = apis.overview(&ada).await;
        overview.degraded.is_empty().then_some(())
    })
    .await;
    assert_eq!(started(&stack).await, begun, "a service was restarted");
}

/// Since when each service runs.
async fn started(stack: &Stack) -> Vec<String> {
    let mut since = Vec::new();
    for service in SERVICES {
        let container = stack.container(service).await;
        since.push(container.text("/State/StartedAt").to_owned());
    }
    since
}

/// Of one account read by four callers at once: a statement, a signature, five spans.
async fn p95(apis: &Apis, person: &Person) -> Duration {
    let watch = Watch::default();
    let path = format!("/users/{}", person.id);
    let ask = async |api: &lyceum_testing::http::Client| {
        api.get(&path).bearer(&person.token).try_send().await
    };
    let load = callers(4, apis.user.base_url(), &watch, ask);
    let end = async {
        watch.more(ANSWERS).await;
        watch.end();
    };
    let (seen, ()) = tokio::join!(load, end);
    assert_eq!(seen.failures, Vec::<String>::new());
    seen.quantile(0.95)
}
