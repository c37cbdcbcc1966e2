//! The end of a service.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use lyceum_testing::http::Response;
use lyceum_testing::{TestApp, spawn};
use tokio::task::JoinSet;

use crate::bakery::{BAKING, Bakery, DONE, RISING, open};

#[tokio::test]
async fn a_request_in_flight_is_finished_before_the_end() {
    let bakery = open();
    let bread = bakery.client().get("/bread").send();
    let stop = async {
        BAKING.notified().await;
        bakery.lifecycle().stop();
        bakery
            .operations()
            .get("/health/ready")
            .send()
            .await
            .expect(503);
        DONE.notify_one();
    };
    let (bread, ()) = tokio::join!(bread, stop);
    assert_eq!(bread.expect(200).text(), "bread");
}

#[tokio::test]
async fn while_it_drains_it_is_not_ready_and_sends_callers_away() {
    let bakery = spawn::<Bakery>(|settings| settings.platform.lifecycle.drain_delay_ms = 2_000);
    bakery
        .operations()
        .get("/health/ready")
        .send()
        .await
        .expect(200);
    bakery.lifecycle().stop();
    let unready = bakery
        .operations()
        .get("/health/ready")
        .send()
        .await
        .expect(503);
    assert!(unready.text().contains("stopping"), "{}", unready.text());
    bakery
        .operations()
        .get("/health/live")
        .send()
        .await
        .expect(200);
    let answer = bakery.client().get("/loaves").send().await.expect(200);
    assert_eq!(answer.header("connection"), Some("close"));
}

#[tokio::test]
async fn an_end_that_cuts_a_request_off_is_not_a_clean_one() {
    // Of 3.5 s, the half is for work: 1.75 s, which is no whole number of seconds.
    let bakery = spawn::<Bakery>(|settings| settings.platform.lifecycle.grace_ms = 3_500);
    let mut dough = hold_dough(&bakery).await;
    bakery.lifecycle().stop();
    let reason = unclean_end(bakery);
    assert!(reason.contains("requests in flight"), "{reason}");
    let answer = dough.join_next().await.unwrap().unwrap();
    assert!(answer.is_err(), "it was never answered");
}

#[tokio::test]
async fn told_twice_to_stop_it_waits_for_nothing() {
    let bakery = spawn::<Bakery>(|_| ());
    let dough = hold_dough(&bakery).await;
    bakery.lifecycle().stop();
    let health = || bakery.client().get("/health").try_send();
    while health().await.is_ok() {}
    let told = Instant::now();
    bakery.lifecycle().stop();
    let reason = unclean_end(bakery);
    assert!(reason.contains("told to stop"), "{reason}");
    // The grace period is 20 s; what is left is a flush and the pool, a second each at most.
    assert!(
        told.elapsed() < Duration::from_secs(8),
        "{:?}",
        told.elapsed()
    );
    drop(dough);
}

/// Sends a request that nobody will answer, and returns when its handler is at work.
async fn hold_dough(bakery: &TestApp) -> JoinSet<Result<Response, String>> {
    let client = bakery.client().clone();
    let mut dough = JoinSet::new();
    dough.spawn(async move { client.get("/dough").try_send().await });
    RISING.notified().await;
    dough
}

/// Why the service, asked to stop already, did not end cleanly.
fn unclean_end(bakery: TestApp) -> String {
    let ended = catch_unwind(AssertUnwindSafe(|| drop(bakery)));
    *ended.unwrap_err().downcast::<String>().unwrap()
}
