//! The effect of an event stands in the trace of the request that caused it.

use lyceum_telemetry::testing::Captured;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::platform::{EVENTS, Platform, enrolment};

const ORIGIN: &str = "0af7651916cd43dd8448eb211c80319c";
const ORIGIN_SPAN: &str = "b7ad6b7169203331";

fn caused_by(mut event: Value, traceparent: &str) -> Value {
    event["traceparent"] = json!(traceparent);
    event
}

fn attribute(span: &SpanData, name: &str) -> String {
    let found = span.attributes.iter().find(|it| it.key.as_str() == name);
    found.map(|it| it.value.to_string()).unwrap_or_default()
}

/// Waits for the span of this kind and name.
async fn span_of(captured: &Captured, trace: &str, kind: &SpanKind, name: &str) -> SpanData {
    for count in 1..100 {
        let spans = captured.wait_for_spans(trace, count).await;
        assert!(spans.len() >= count, "no span {name} in {spans:?}");
        if let Some(span) = spans
            .iter()
            .find(|it| it.name == name && it.span_kind == *kind)
        {
            return span.clone();
        }
    }
    panic!("no span {name}");
}

#[tokio::test]
async fn the_effect_is_a_child_of_the_cause_and_links_to_the_delivery() {
    let platform = Platform::start();
    let captured = platform.app.captured();
    let event = caused_by(
        enrolment(1, "Logic"),
        &format!("00-{ORIGIN}-{ORIGIN_SPAN}-01"),
    );
    let answer = platform
        .deliver(std::slice::from_ref(&event))
        .await
        .expect(200);
    let delivery = answer.header("x-trace-id").unwrap().to_owned();
    assert_ne!(delivery, ORIGIN);

    let name = "process enrolment.created";
    let process = span_of(captured, ORIGIN, &SpanKind::Consumer, name).await;
    assert_eq!(process.parent_span_id.to_string(), ORIGIN_SPAN);
    assert_eq!(
        attribute(&process, "lyceum.event.type"),
        "enrolment.created"
    );
    assert_eq!(
        json!(attribute(&process, "lyceum.event.id")),
        event["event_id"]
    );

    let route = format!("POST {EVENTS}");
    let server = span_of(captured, &delivery, &SpanKind::Server, &route).await;
    let links: Vec<_> = process
        .links
        .iter()
        .map(|link| link.span_context.clone())
        .collect();
    assert_eq!(links.len(), 1);
    assert_eq!(links[0].trace_id(), server.span_context.trace_id());
    assert_eq!(links[0].span_id(), server.span_context.span_id());

    let statements: Vec<_> = captured
        .spans_of(ORIGIN)
        .into_iter()
        .filter(|span| span.span_kind == SpanKind::Client)
        .inspect(|span| assert_eq!(span.parent_span_id, process.span_context.span_id()))
        .map(|span| span.name.into_owned())
        .collect();
    for statement in [
        "INSERT processed_events",
        "INSERT recipients",
        "INSERT notifications",
        "COMMIT",
    ] {
        assert!(
            statements.iter().any(|it| it == statement),
            "{statement} in {statements:?}"
        );
    }
}

#[tokio::test]
async fn effects_of_one_batch_are_each_in_the_trace_of_its_cause_and_link_to_where_they_were_written()
 {
    const OTHER: &str = "7bf92f3577b34da6a3ce929d0e0e4736";
    let platform = Platform::start();
    let captured = platform.app.captured();
    let events = [(1, ORIGIN), (2, OTHER)].map(|(user, trace)| {
        let cause = format!("00-{trace}-{ORIGIN_SPAN}-01");
        caused_by(enrolment(user, "Logic"), &cause)
    });
    let answer = platform.deliver(&events).await.expect(200);
    let delivery = answer.header("x-trace-id").unwrap().to_owned();
    let route = format!("POST {EVENTS}");
    let server = span_of(captured, &delivery, &SpanKind::Server, &route).await;
    for trace in [ORIGIN, OTHER] {
        let name = "process enrolment.created";
        let process = span_of(captured, trace, &SpanKind::Consumer, name).await;
        assert_eq!(process.parent_span_id.to_string(), ORIGIN_SPAN);
        let link = &process.links.iter().next().unwrap().span_context;
        assert_eq!(link.span_id(), server.span_context.span_id());
        let lines = captured.lines_of(trace);
        assert!(
            lines.iter().any(|line| line["event"] == "event.taken_in"),
            "{lines:?}"
        );
    }
    let insert = "INSERT notifications";
    let insert = span_of(captured, &delivery, &SpanKind::Client, insert).await;
    assert_eq!(insert.parent_span_id, server.span_context.span_id());

    // What follows later joins the trace of its own cause.
    let database = platform.app.database().connect().await;
    let letters = "SELECT traceparent FROM mails ORDER BY user_id";
    let letters = Statement::from_string(database.get_database_backend(), letters);
    let letters = database.query_all_raw(letters).await.unwrap();
    for (letter, trace) in letters.iter().zip([ORIGIN, OTHER]) {
        let traceparent: String = letter.try_get_by_index(0).unwrap();
        assert_eq!(&traceparent[3..35], trace);
    }
    assert_eq!(letters.len(), 2);
}

#[tokio::test]
async fn an_effect_that_fails_is_an_error_in_the_trace_of_its_cause() {
    const CAUSE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let platform = Platform::start();
    let database = platform.app.database().connect().await;
    let rename = "ALTER TABLE notifications RENAME TO elsewhere";
    database.execute_unprepared(rename).await.unwrap();
    let event = caused_by(
        enrolment(1, "Logic"),
        &format!("00-{CAUSE}-{ORIGIN_SPAN}-01"),
    );
    platform.deliver(&[event]).await.expect(500);
    let name = "process enrolment.created";
    let process = span_of(platform.app.captured(), CAUSE, &SpanKind::Consumer, name).await;
    assert_eq!(process.status, Status::error(""));
    assert_eq!(attribute(&process, "error.type"), "database");
}

#[tokio::test]
async fn a_trace_context_that_cannot_be_read_is_left_aside() {
    let platform = Platform::start();
    for (name, traceparent) in [
        ("zero", format!("00-{}-{ORIGIN_SPAN}-01", "0".repeat(32))),
        (
            "upper case",
            format!("00-{}-{ORIGIN_SPAN}-01", ORIGIN.to_uppercase()),
        ),
        ("version ff", format!("ff-{ORIGIN}-{ORIGIN_SPAN}-01")),
        ("nonsense", "x".to_owned()),
    ] {
        let event = caused_by(enrolment(1, "Logic"), &traceparent);
        let answer = platform.deliver(&[event]).await.expect(200);
        let delivery = answer.header("x-trace-id").unwrap().to_owned();
        let captured = platform.app.captured();
        let process = "process enrolment.created";
        let process = span_of(captured, &delivery, &SpanKind::Consumer, process).await;
        assert!(
            process.links.is_empty(),
            "{name}: it is in the delivery's own trace"
        );
    }
}
