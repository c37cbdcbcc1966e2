//! What a failing peer looks like on the screen, and how its callers fare.

use std::time::Duration;

use lyceum_stack_test::viewer::Viewer;
use lyceum_stack_test::{Stack, eventually};
use lyceum_testing::otlp::Span;
use lyceum_testing::people::{Apis, Person, trace_of};
use serde_json::{Value, json};
use tokio::time::Instant;

/// What the overview may take with a peer gone: the 5 s its calls have in all, and a second of slack.
const IN_TIME: Duration = Duration::from_secs(6);

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn a_peer_that_refuses_twice_is_asked_three_times_side_by_side() {
    let stack = Stack::running().await;
    let apis = stack.apis();
    let ada = apis.register("Ada").await;
    whole(&apis, &ada).await;
    // The demo's visitors ask notification too and may take a refusal that was meant for Ada.
    let told = eventually("refused twice", async || {
        let (trace, spans) = overview_with_two_refusals(&stack, &apis, &ada).await;
        let attempts = attempts(&spans);
        let told: Vec<_> = attempts.iter().map(outcome).collect();
        let expected = [
            (Value::Null, json!(503)),
            (json!(1), json!(503)),
            (json!(2), json!(200)),
        ];
        (told == expected).then_some((trace, attempts))
    });
    let (trace, attempts) = told.await;
    println!("trace {trace}");
    for attempt in &attempts {
        println!(
            "  {} {} resend_count={} status={} error.type={}",
            attempt.kind,
            attempt.name,
            attempt.attribute("http.request.resend_count"),
            attempt.attribute("http.response.status_code"),
            attempt.attribute("error.type"),
        );
        assert_eq!(attempt.parent_span_id, attempts[0].parent_span_id);
    }
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn a_dead_peer_opens_its_breaker_and_answers_stay_in_time() {
    let stack = Stack::running().await;
    let apis = stack.apis();
    let ada = apis.register("Ada").await;
    whole(&apis, &ada).await;
    let opened = async || {
        let log = stack.log("user").await;
        let of_course =
            |line: &Value| line["event"] == "breaker.opened" && line["upstream"] == "course";
        log.into_iter().filter(of_course).collect::<Vec<_>>()
    };
    let before = opened().await.len();
    stack.compose(&["kill", "course"]).await;
    let mut slowest = Duration::ZERO;
    eventually("open", async || {
        let asked = Instant::now();
        let degraded = apis.overview(&ada).await.degraded;
        slowest = slowest.max(asked.elapsed());
        let mut parts: Vec<_> = degraded.iter().map(|gap| gap.part.as_str()).collect();
        parts.sort_unstable();
        assert_eq!(parts, ["courses", "stats"]);
        let open = degraded.iter().any(|gap| gap.reason == "circuit_open");
        open.then_some(())
    })
    .await;
    println!("slowest degraded answer: {slowest:.1?}");
    assert!(slowest < IN_TIME, "{slowest:?}");

    let operations = stack.operations("user");
    let metrics = operations.get("/metrics").send().await.text();
    let is_it = |line: &&str| {
        line.starts_with("lyceum_client_breaker_state") && line.contains("upstream=\"course\"")
    };
    let state = metrics.lines().find(is_it).expect("the gauge is there");
    println!("{state}");
    assert!(!state.ends_with(" 0"), "{state}");
    let opened = opened().await;
    assert!(opened.len() > before, "told in the log");
    println!("{}", opened[before]);

    stack.compose(&["start", "course"]).await;
    whole(&apis, &ada).await;
}

/// Waits until nothing is missing from the overview.
async fn whole(apis: &Apis, person: &Person) {
    eventually("whole", async || {
        let overview = apis.overview(person).await;
        overview.degraded.is_empty().then_some(())
    })
    .await;
}

async fn overview_with_two_refusals(
    stack: &Stack,
    apis: &Apis,
    person: &Person,
) -> (String, Vec<Span>) {
    let operations = stack.operations("user");
    let fault = json!({"status": 503, "times": 2, "for_ms": 10_000});
    let set = operations.put("/debug/faults/notification").json(&fault);
    set.send().await.expect(200);
    let answer = apis.ask_overview(person).await.expect(200);
    let cleared = operations.delete("/debug/faults/notification");
    cleared.send().await.expect(204);
    let trace = trace_of(&answer);
    // The root ends last.
    let ended = |spans: &[Span]| spans.iter().any(|span| span.parent_span_id.is_none());
    let spans = Viewer::of(stack).wait_for(&trace, ended).await;
    (trace, spans)
}

/// The attempts at the one call to notification, in order of time.
fn attempts(spans: &[Span]) -> Vec<Span> {
    let call = spans
        .iter()
        .find(|span| span.name == "notification.unread_count_of");
    let below =
        |span: &&Span| call.is_some_and(|call| span.parent_span_id.as_ref() == Some(&call.span_id));
    let mut attempts: Vec<_> = spans.iter().filter(below).cloned().collect();
    attempts.sort_by_key(|span| span.start);
    attempts
}

fn outcome(attempt: &Span) -> (Value, Value) {
    let of = |name| attempt.attribute(name).clone();
    (
        of("http.request.resend_count"),
        of("http.response.status_code"),
    )
}
