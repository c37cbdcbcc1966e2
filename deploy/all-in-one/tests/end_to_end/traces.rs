//! One request, one trace: exact trees, as they left by OTLP.

use lyceum_testing::PATIENCE;
use lyceum_testing::eventually;
use lyceum_testing::otlp::{Kind, Span, Status};
use lyceum_testing::peer::{Answer, ScriptedPeer};
use lyceum_testing::people::trace_of;
use serde_json::{Value, json};

use crate::platform::{Member, Platform};

const ENROLMENT: &str = include_str!("../../../../docs/traces/enrolment.txt").trim_ascii_end();

const OVERVIEW: &str = include_str!("../../../../docs/traces/overview.txt").trim_ascii_end();

#[tokio::test]
async fn one_enrolment_is_one_trace_through_three_services() {
    let mut platform = Platform::start().await;
    let (ada, course) = platform.people.ada_and_a_course().await;
    let answer = platform.people.ask_to_enrol(&ada, course).await.expect(201);
    let trace = trace_of(&answer);
    let spans = platform
        .collector
        .wait_for_tree(&trace, ENROLMENT, PATIENCE)
        .await;

    let server = find(&spans, "course", "POST /courses/{id}/enrolments");
    let path = format!("/courses/{course}/enrolments");
    for (name, value) in [
        ("http.request.method", json!("POST")),
        ("http.route", json!("/courses/{id}/enrolments")),
        ("http.response.status_code", json!(201)),
        ("url.path", json!(path)),
        ("url.scheme", json!("http")),
        ("server.address", json!("127.0.0.1")),
        ("network.protocol.version", json!("1.1")),
    ] {
        assert_eq!(*server.attribute(name), value, "{name}");
    }
    assert_eq!(server.status, Status::Unset);
    assert_eq!(server.resource["service.namespace"], "lyceum");
    assert_eq!(
        server.resource["deployment.environment.name"],
        "development"
    );

    let attempt = find(&spans, "course", "POST");
    assert_eq!(attempt.attribute("http.response.status_code"), 200);
    assert_eq!(*attempt.attribute("http.request.resend_count"), Value::Null);
    let url = attempt.attribute("url.full");
    assert!(
        url.as_str()
            .is_some_and(|url| url.ends_with("/internal/users/lookup")),
        "{url}"
    );

    let insert = find(&spans, "course", "INSERT enrolments");
    assert_eq!(insert.attribute("db.operation.name"), "INSERT");
    assert_eq!(insert.attribute("db.collection.name"), "enrolments");
    let text = insert.attribute("db.query.text");
    assert!(
        text.as_str()
            .is_some_and(|text| text.starts_with("INSERT INTO")),
        "{text}"
    );
    let system = insert.attribute("db.system.name");
    assert!(system == "sqlite" || system == "postgresql", "{system}");

    let effect = find(&spans, "notification", "process enrolment.created");
    assert_eq!(
        effect.links.len(),
        1,
        "the effect links to the delivery that brought it"
    );
    assert_ne!(effect.links[0].0, trace);
    // The delivery ends after its effect: its root is exported last.
    let rooted = |spans: &[Span]| spans.iter().any(|span| span.parent_span_id.is_none());
    let delivery = platform
        .collector
        .wait_for(&effect.links[0].0, rooted, PATIENCE)
        .await;
    let received = delivery
        .iter()
        .find(|span| span.span_id == effect.links[0].1);
    assert_eq!(
        received.map(|span| span.name.as_str()),
        Some("POST /internal/events")
    );
    let relays = delivery.iter().filter(|span| span.parent_span_id.is_none());
    let linked = relays
        .flat_map(|span| &span.links)
        .any(|(linked, _)| *linked == trace);
    assert!(
        linked,
        "the delivery links back to the request that caused it"
    );

    assert_eq!(platform.collector.legacy_names(), Vec::<String>::new());
    assert_nothing_personal(&mut platform);
}

#[tokio::test]
async fn one_overview_is_one_trace_with_its_parts_side_by_side() {
    let platform = Platform::start().await;
    let (ada, course) = platform.people.ada_and_a_course().await;
    platform.people.ask_to_enrol(&ada, course).await.expect(201);
    let whole = eventually("told", async || {
        let answer = platform.people.ask_overview(&ada).await;
        (answer.json::<Value>()["unread"] == 1).then_some(answer)
    })
    .await;
    let trace = trace_of(&whole);
    let spans = platform
        .collector
        .wait_for_tree(&trace, OVERVIEW, PATIENCE)
        .await;
    let parts: Vec<_> = spans
        .iter()
        .filter(|span| span.kind == Kind::Internal)
        .collect();
    let last_begun = parts.iter().map(|span| span.start).max();
    let first_ended = parts.iter().map(|span| span.end).min();
    assert!(
        last_begun < first_ended,
        "the parts are asked for concurrently"
    );
    let attempts = spans
        .iter()
        .filter(|span| span.kind == Kind::Client && span.name == "GET");
    for attempt in attempts {
        let callee = spans
            .iter()
            .find(|span| span.parent_span_id.as_ref() == Some(&attempt.span_id));
        assert_eq!(
            callee.map(|span| span.kind),
            Some(Kind::Server),
            "the callee hangs below its attempt"
        );
    }
}

#[tokio::test]
async fn a_retry_is_a_second_attempt_beside_the_first() {
    let course = ScriptedPeer::start();
    let page = json!({"items": [], "next_cursor": null});
    course
        .on("GET /users/2/courses")
        .then(Answer::status(503))
        .always(Answer::json(200, &page));
    let stats = json!({"enrolled": 0, "dropped": 0, "teaching": 0});
    course
        .on("GET /users/2/stats")
        .always(Answer::json(200, &stats));
    let platform =
        Platform::start_with("user", &[("upstreams.course.base_url", &course.url())]).await;
    let ada = platform.people.register("Ada").await;
    assert_eq!(ada.id, 2, "the first account is the admin's");
    let answer = platform.people.ask_overview(&ada).await.expect(200);
    assert_eq!(answer.json::<Value>()["degraded"], json!([]));

    let both = |spans: &[Span]| attempts(spans).len() == 2;
    let spans = platform
        .collector
        .wait_for(&trace_of(&answer), both, PATIENCE)
        .await;
    let attempts = attempts(&spans);
    let told = |span: &&Span| {
        let of = |name| span.attribute(name).clone();
        (
            of("http.request.resend_count"),
            of("http.response.status_code"),
            span.status.clone(),
        )
    };
    assert_eq!(
        attempts.iter().map(told).collect::<Vec<_>>(),
        [
            (Value::Null, json!(503), Status::Error(String::new())),
            (json!(1), json!(200), Status::Unset),
        ]
    );
    assert_eq!(
        attempts[0].parent_span_id, attempts[1].parent_span_id,
        "siblings"
    );
    assert_eq!(attempts[0].attribute("error.type"), "503");
}

#[tokio::test]
async fn log_lines_inside_a_request_carry_its_trace() {
    let mut platform = Platform::start().await;
    let credentials = json!({"email": "nobody@example.org", "password": "a wrong password"});
    let refused = platform
        .user
        .api
        .post("/auth/login")
        .json(&credentials)
        .send()
        .await;
    let ada = platform.people.register("Ada").await;
    platform.course.kill().await;
    let degraded = platform.people.ask_overview(&ada).await.expect(200);
    for (answer, event, count) in [
        (refused.expect(401), "session.login_failed", 1),
        (degraded, "overview.degraded", 2),
    ] {
        let trace = trace_of(&answer);
        platform
            .user
            .process()
            .wait_for_event(event, PATIENCE)
            .await;
        let lines = platform.user.process().log();
        let told: Vec<_> = lines.iter().filter(|line| line["event"] == event).collect();
        assert_eq!(told.len(), count, "{event}");
        for line in told {
            assert_eq!(line["trace_id"], trace, "{line}");
            assert_eq!(line["span_id"].as_str().map(str::len), Some(16), "{line}");
        }
    }
    assert_nothing_personal(&mut platform);
}

/// The attempts at the call that the scripted peer refused once, in order of time.
fn attempts(spans: &[Span]) -> Vec<&Span> {
    let call = spans
        .iter()
        .find(|span| span.name == "course.enrolments_of");
    let Some(call) = call else { return Vec::new() };
    let child = |span: &&Span| span.parent_span_id.as_ref() == Some(&call.span_id);
    let mut attempts: Vec<_> = spans.iter().filter(child).collect();
    attempts.sort_by_key(|span| span.start);
    attempts
}

fn find<'a>(spans: &'a [Span], service: &str, name: &str) -> &'a Span {
    let wanted = |span: &&Span| span.service == service && span.name == name;
    spans
        .iter()
        .find(wanted)
        .unwrap_or_else(|| panic!("no span {name} of {service}"))
}

/// No address, name, password or token in any span or log line so far.
fn assert_nothing_personal(platform: &mut Platform) {
    let spans = format!("{:?}", platform.collector.spans());
    let logs = |member: &mut Member| member.process().lines().concat();
    let logs = [
        logs(&mut platform.user),
        logs(&mut platform.course),
        logs(&mut platform.notification),
    ];
    for personal in ["@example.org", "heron", "wrong password", "eyJ"] {
        assert!(!spans.contains(personal), "a span contains {personal}");
        assert!(
            !logs.concat().contains(personal),
            "a log line contains {personal}"
        );
    }
}
