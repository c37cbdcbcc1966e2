//! One request, one trace, on the viewer's own screen, in three services' logs.

use std::collections::BTreeSet;

use lyceum_stack_test::command::finished;
use lyceum_stack_test::stack::SERVICES;
use lyceum_stack_test::viewer::Viewer;
use lyceum_stack_test::{Stack, eventually};
use lyceum_testing::otlp::{Kind, Span, legacy_names};
use lyceum_testing::people::trace_of;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::Instant;

const ENROLMENT: &str = include_str!("../../../../docs/traces/enrolment.txt");
const OVERVIEW: &str = include_str!("../../../../docs/traces/overview.txt");

const DESCRIPTIONS: [&str; 3] = [
    include_str!("../../../../docs/openapi/user.json"),
    include_str!("../../../../docs/openapi/course.json"),
    include_str!("../../../../docs/openapi/notification.json"),
];
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const STATEMENTS: [&str; 7] = [
    "SELECT", "INSERT", "UPDATE", "DELETE", "BEGIN", "COMMIT", "ROLLBACK",
];
const INTERNAL: [&str; 14] = [
    "course.enrolments_of",
    "course.publish",
    "course.stats_of",
    "deliver events",
    "job step",
    "notification.publish",
    "notification.unread_count_of",
    "password.hash",
    "password.verify",
    "send letter",
    "user.find",
    "user.jwks",
    "user.lookup",
    "user.write_letter",
];

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn one_enrolment_is_one_trace_as_the_viewer_tells_it() {
    let stack = Stack::running().await;
    let apis = stack.apis();
    let (ada, course) = apis.ada_and_a_course().await;
    let asked = Instant::now();
    let answer = apis.ask_to_enrol(&ada, course).await.expect(201);
    let trace = trace_of(&answer);
    Viewer::of(&stack).wait_for_tree(&trace, ENROLMENT).await;
    let took = asked.elapsed();
    println!("{ENROLMENT}\nwhole in the viewer after {took:.1?}");
    assert!(took.as_secs() < 5, "{took:?}");
    screenshot(&stack, &trace).await;
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn one_overview_is_one_trace_with_its_parts_below() {
    let stack = Stack::running().await;
    let apis = stack.apis();
    let ada = apis.register("Ada").await;
    let answer = apis.ask_overview(&ada).await.expect(200);
    Viewer::of(&stack)
        .wait_for_tree(&trace_of(&answer), OVERVIEW)
        .await;
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn three_services_tell_of_one_request_and_nothing_personal() {
    let stack = Stack::running().await;
    let apis = stack.apis();
    let (ada, course) = apis.ada_and_a_course().await;
    let answer = apis.ask_to_enrol(&ada, course).await.expect(201);
    let trace = trace_of(&answer);
    for service in SERVICES {
        let lines = eventually("told in the log", async || {
            let lines = stack.log(service).await;
            let told: Vec<_> = lines
                .into_iter()
                .filter(|line| line["trace_id"] == *trace)
                .collect();
            (!told.is_empty()).then_some(told)
        });
        for line in lines.await {
            println!("{line}");
        }
    }
    let spans = Viewer::of(&stack).wait_for_tree(&trace, ENROLMENT).await;
    let mut everything = format!("{spans:?}");
    for service in SERVICES {
        everything += &stack.lines(service).await;
        everything += &stack
            .operations(service)
            .get("/metrics")
            .send()
            .await
            .text();
    }
    for personal in [ada.email.as_str(), "@example.org", "heron", "eyJ"] {
        assert!(!everything.contains(personal), "{personal} was told");
    }
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn names_come_from_closed_lists_and_none_is_a_legacy_one() {
    let stack = Stack::running().await;
    let apis = stack.apis();
    let (ada, course) = apis.ada_and_a_course().await;
    apis.enrol(&ada, course).await;
    apis.overview(&ada).await;
    apis.user.get("/users/none").bearer(&ada.token).send().await;
    apis.course.get("/nowhere/12345").send().await;
    let last = apis.ask_overview(&ada).await;
    let viewer = Viewer::of(&stack);
    viewer
        .wait_for(&trace_of(&last), |spans| spans.len() > 3)
        .await;
    let mut spans: Vec<Span> = Vec::new();
    for service in SERVICES {
        spans.extend(viewer.recent(service, 500).await);
    }
    let names: BTreeSet<_> = spans
        .iter()
        .map(|span| format!("{} {}", span.kind, span.name))
        .collect();
    println!("{} spans: {names:#?}", spans.len());
    let routes = routes();
    let strangers: BTreeSet<_> = spans
        .iter()
        .filter(|span| !is_known(span, &routes))
        .map(|span| format!("{} {} {}", span.service, span.kind, span.name))
        .collect();
    assert!(strangers.is_empty(), "on no list: {strangers:?}");
    assert_eq!(legacy_names(&spans), Vec::<String>::new());
}

/// Every operation of the APIs, as the services describe them, and what the operations listener answers with a span.
fn routes() -> BTreeSet<String> {
    let mut routes: BTreeSet<String> = [
        "GET /",
        "GET /health",
        "GET /debug/breakers",
        "GET /debug/faults",
        "GET /debug/settings",
        "GET /debug/tasks",
        "PUT /debug/faults/{upstream}",
        "DELETE /debug/faults/{upstream}",
    ]
    .map(str::to_owned)
    .into();
    for description in DESCRIPTIONS {
        let description: Value = serde_json::from_str(description).expect("JSON");
        let paths = description["paths"].as_object().expect("paths");
        for (path, operations) in paths {
            let methods = operations.as_object().expect("operations").keys();
            routes.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
        }
    }
    routes
}

/// The events a stack tells of when it is used as here.
const EVENTS: [&str; 5] = [
    "user.registered",
    "user.updated",
    "user.deleted",
    "mailed_link.requested",
    "enrolment.created",
];

/// Whether a span's name is on the list of its kind. A route that does not exist is a method alone.
fn is_known(span: &Span, routes: &BTreeSet<String>) -> bool {
    let name = span.name.as_str();
    let (first, rest) = name.split_once(' ').unwrap_or((name, ""));
    let is_table = |name: &str| {
        name.bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_lowercase())
    };
    match span.kind {
        Kind::Server => routes.contains(name) || (METHODS.contains(&first) && rest.is_empty()),
        Kind::Client => {
            (METHODS.contains(&first) && rest.is_empty())
                || (STATEMENTS.contains(&first) && is_table(rest))
        }
        Kind::Consumer => first == "process" && EVENTS.contains(&rest),
        Kind::Internal => INTERNAL.contains(&name),
        Kind::Producer => false,
    }
}

/// The trace as a person sees it, kept beside the test's other results.
async fn screenshot(stack: &Stack, trace: &str) {
    let folder = stack.checkout().join("target/stack-test");
    std::fs::create_dir_all(&folder).expect("a folder under target");
    let picture = folder.join("enrolment-trace.png");
    std::fs::remove_file(&picture).ok();
    let profile = folder.join("chromium");
    let url = format!(
        "http://127.0.0.1:{}/trace/{trace}",
        stack.port("TRACES_PORT")
    );
    let mut command = Command::new("chromium");
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
        ])
        .args([
            "--disable-background-networking",
            "--no-first-run",
            "--disable-sync",
        ])
        .args(["--window-size=1600,1000", "--virtual-time-budget=15000"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(url);
    let output = finished(&mut command).await;
    std::fs::remove_dir_all(&profile).ok();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let size = std::fs::metadata(&picture).expect("a picture").len();
    println!("{}: {size} bytes", picture.display());
    // A blank page of this size is about 10 kB.
    assert!(size > 40_000, "{size} bytes are an empty page");
}
