//! Traces that continue what was stored.

use lyceum_telemetry::{context, testing::capture};
use opentelemetry::trace::SpanKind;
use tracing::{Level, info_span, span};

use crate::support::caller;

#[test]
fn outside_any_trace_there_is_nothing_to_read() {
    capture();
    assert_eq!(
        (
            context::trace_id(),
            context::traceparent(),
            context::tracestate()
        ),
        (None, None, None)
    );
}

#[test]
fn a_stored_traceparent_leads_back_to_its_span() {
    capture();
    let stored = info_span!(parent: None, "request").in_scope(|| context::traceparent().unwrap());
    let later = info_span!(parent: None, "later");
    context::set_remote_parent(&later, &stored);
    let continued = later.in_scope(|| context::trace_id().unwrap());
    drop(later);
    let spans = capture().spans_of(&continued);
    assert_eq!(spans.len(), 2);
    assert_eq!(spans[1].parent_span_id, spans[0].span_context.span_id());
}

#[test]
fn an_unreadable_traceparent_changes_nothing() {
    capture();
    let span = info_span!(parent: None, "span");
    context::set_remote_parent(&span, "00-nonsense");
    context::link(&span, "nonsense");
    let trace_id = span.in_scope(|| context::trace_id().unwrap());
    drop(span);
    let spans = capture().spans_of(&trace_id);
    assert_eq!(
        (spans[0].parent_span_is_remote, spans[0].links.len()),
        (false, 0)
    );
}

#[test]
fn a_consumer_joins_the_messages_trace_and_links_to_its_handler() {
    let origin = caller();
    let traceparent = origin.header.strip_prefix("traceparent: ").unwrap();
    capture();
    let handler = info_span!(parent: None, "relay");
    let handled_in = handler.in_scope(|| {
        drop(context::consumer_span(
            "deliver user.registered",
            Some(traceparent),
        ));
        context::trace_id().unwrap()
    });
    let span = capture().spans_of(&origin.trace_id).remove(0);
    assert_eq!(span.name, "deliver user.registered");
    assert_eq!(span.span_kind, SpanKind::Consumer);
    assert_eq!(span.parent_span_id.to_string(), origin.span_id);
    assert_eq!(
        span.links
            .iter()
            .next()
            .unwrap()
            .span_context
            .trace_id()
            .to_string(),
        handled_in
    );
}

#[test]
fn a_message_without_a_trace_belongs_to_its_handler() {
    capture();
    let trace_id = info_span!(parent: None, "relay").in_scope(|| {
        drop(context::consumer_span("deliver", None));
        context::trace_id().unwrap()
    });
    let spans = capture().spans_of(&trace_id);
    assert_eq!(spans[0].parent_span_id, spans[1].span_context.span_id());
    assert_eq!(spans[0].links.len(), 0);
}

#[test]
fn spans_of_the_export_path_are_never_recorded() {
    capture();
    let trace_id = info_span!(parent: None, "request").in_scope(|| {
        drop(span!(target: "hyper::proto", Level::INFO, "poll"));
        drop(span!(target: "reqwest::blocking", Level::INFO, "wait"));
        drop(span!(target: "sqlx::query", Level::DEBUG, "query"));
        context::trace_id().unwrap()
    });
    let names: Vec<_> = capture()
        .spans_of(&trace_id)
        .into_iter()
        .map(|span| span.name)
        .collect();
    assert_eq!(names, ["request"]);
}
