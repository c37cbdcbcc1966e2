//! The figures of docs/BENCHMARKS.md: memory of every container after a load.

use std::collections::BTreeMap;

use lyceum_stack_test::Stack;
use lyceum_stack_test::load::{Watch, callers};
use lyceum_stack_test::stack::SERVICES;
use lyceum_stack_test::viewer::Viewer;
use lyceum_testing::http::Client;

/// Overviews asked for, each a request to all three services.
const OVERVIEWS: u64 = 3_000;

/// Logins, each a password hash of 19 MiB.
const LOGINS: usize = 20;

/// What a service may hold resident, in bytes. The goal is 32 MiB; the user service is a little
/// beyond it.
const MOST: u64 = 40_000_000;

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn memory_after_the_load_stays_small() {
    let stack = Stack::running().await;
    let apis = stack.apis();
    let (ada, course) = apis.ada_and_a_course().await;
    apis.enrol(&ada, course).await;
    for _ in 0..LOGINS {
        apis.sign_in(&ada.email, lyceum_testing::people::PASSWORD)
            .await;
    }
    let watch = Watch::default();
    let path = format!("/users/{}/overview", ada.id);
    let ask = async |api: &Client| api.get(&path).bearer(&ada.token).try_send().await;
    let load = callers(8, apis.user.base_url(), &watch, ask);
    let end = async {
        watch.more(OVERVIEWS).await;
        watch.end();
    };
    let (seen, ()) = tokio::join!(load, end);
    assert_eq!(seen.failures, Vec::<String>::new());
    println!(
        "{} overviews by 8 callers: p50 {:.1?}, p95 {:.1?}, p99 {:.1?}",
        seen.took.len(),
        seen.quantile(0.5),
        seen.quantile(0.95),
        seen.quantile(0.99),
    );

    let mut resident = BTreeMap::new();
    for container in stack.containers(None).await {
        if container.state() == "running" {
            resident.insert(container.service().to_owned(), container.resident());
        }
    }
    for (service, bytes) in &resident {
        println!("{service:<14} {:>4} MiB resident", bytes >> 20);
    }
    Viewer::emptied(&stack).await;
    for service in SERVICES {
        assert!(
            resident[service] <= MOST,
            "{service}: {} bytes",
            resident[service]
        );
    }
}
