//! SIGTERM under load: what was begun is finished, and the last span leaves.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use lyceum_testing::PATIENCE;
use lyceum_testing::http::Client;
use tokio::time::Instant;

use crate::platform::Platform;

/// Callers that ask without a pause, each on connections of its own.
const CALLERS: usize = 8;

#[tokio::test]
async fn no_request_is_lost_and_the_last_span_is_exported() {
    let mut platform = Platform::start().await;
    let ada = platform.people.register("Ada").await;
    let (answered, warm) = (AtomicU32::new(0), AtomicBool::new(false));
    let base_url = platform.user.api.base_url().to_owned();
    let path = format!("/users/{}", ada.id);

    // A caller leaves when it is told to: by `Connection: close`, as balancers and clients are.
    let caller = async || {
        let api = Client::new(&base_url);
        loop {
            let answer = api.get(&path).bearer(&ada.token).try_send().await;
            let answer = answer.expect("a request that was sent is answered");
            assert_eq!(answer.status, 200, "{}", answer.text());
            if answered.fetch_add(1, Ordering::Relaxed) > 200 {
                warm.store(true, Ordering::Relaxed);
            }
            if answer.header("connection") == Some("close") {
                return answer
                    .header("x-trace-id")
                    .expect("every answer names its trace")
                    .to_owned();
            }
        }
    };
    let process = platform.user.process();
    let signal = async {
        while !warm.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
        process.terminate();
        Instant::now()
    };
    let callers = futures_util::future::join_all((0..CALLERS).map(|_| caller()));
    let (last_traces, asked_at) = tokio::join!(callers, signal);

    let status = platform.user.process().wait(PATIENCE).await;
    assert_eq!(status.code(), Some(0));
    assert!(asked_at.elapsed().as_secs() < 20, "within the grace period");
    for trace in last_traces {
        let of_user = |spans: &[lyceum_testing::otlp::Span]| {
            spans.iter().any(|span| span.name == "GET /users/{id}")
        };
        platform.collector.wait_for(&trace, of_user, PATIENCE).await;
    }
}

#[tokio::test]
async fn a_collector_that_is_gone_does_not_spoil_the_end() {
    // Nobody listens on the discard port.
    let gone = [("telemetry.otlp_endpoint", "http://127.0.0.1:9")];
    let mut platform = Platform::start_with("course", &gone).await;
    let refused = platform.course.api.get("/courses").send().await;
    refused.expect(401);
    let process = platform.course.process();
    process.terminate();
    assert_eq!(process.wait(PATIENCE).await.code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once_and_says_so() {
    let mut platform =
        Platform::start_with("notification", &[("lifecycle.drain_delay_ms", "15000")]).await;
    let process = platform.notification.process();
    process.terminate();
    process.wait_for_event("server.draining", PATIENCE).await;
    let told = Instant::now();
    process.interrupt();
    let status = process.wait(PATIENCE).await;
    assert_ne!(status.code(), Some(0));
    assert!(told.elapsed().as_secs() < 10, "{:?}", told.elapsed());
}
