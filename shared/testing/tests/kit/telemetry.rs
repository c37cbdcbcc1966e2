//! The OTLP receiver, fed by exports encoded as an exporter would.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use lyceum_testing::PATIENCE;
use lyceum_testing::http::Client;
use lyceum_testing::otlp::{Kind, Measurement, Receiver, Status, render};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    Histogram, HistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{self as wire, ResourceSpans, ScopeSpans, Span};
use prost::Message;

const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const TRACE_ID_NUMBER: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;

const OVERVIEW: &str = "\
user SERVER GET /users/{id}/overview
  user CLIENT GET
    course SERVER GET /users/{id}/stats
  user CLIENT GET (error)";

#[tokio::test]
async fn a_trace_through_two_services_is_one_tree() {
    let receiver = Receiver::start();
    let server = span(1, 9, SpanKind::Server, "GET /users/{id}/overview");
    let mut failed = span(3, 1, SpanKind::Client, "GET");
    failed.status = Some(wire::Status {
        message: "connection refused".to_owned(),
        code: StatusCode::Error.into(),
    });
    failed.attributes = vec![attribute("http.request.resend_count", Value::IntValue(1))];
    let call = span(2, 1, SpanKind::Client, "GET");
    let peer = span(4, 2, SpanKind::Server, "GET /users/{id}/stats");

    // Children leave before their parents, and each process by itself.
    export_spans(&receiver, "course", vec![peer]).await;
    export_spans(&receiver, "user", vec![failed, call, server]).await;

    let spans = receiver.wait_for_tree(TRACE_ID, OVERVIEW, PATIENCE).await;
    let failed = spans
        .iter()
        .find(|span| span.status != Status::Unset)
        .expect("one attempt failed");
    assert_eq!(
        failed.status,
        Status::Error("connection refused".to_owned())
    );
    assert_eq!((failed.kind, &*failed.service), (Kind::Client, "user"));
    assert_eq!(failed.attribute("http.request.resend_count"), 1);
    assert_eq!(failed.attribute("http.route"), &serde_json::Value::Null);
    let drawn = render(&spans, &["http.request.resend_count"]);
    assert!(drawn.ends_with("\n  user CLIENT GET (error) {http.request.resend_count=1}"));
    assert!(
        receiver
            .spans_of("00000000000000000000000000000001")
            .is_empty()
    );
}

#[tokio::test]
async fn a_missing_span_is_not_overlooked() {
    let receiver = Receiver::start();
    let orphan = span(4, 2, SpanKind::Server, "GET /users/{id}/stats");
    let root = span(1, 9, SpanKind::Server, "GET /users/{id}/overview");
    export_spans(&receiver, "user", vec![orphan, root]).await;
    assert_eq!(
        receiver.tree(TRACE_ID),
        "user SERVER GET /users/{id}/overview\nuser SERVER GET /users/{id}/stats",
        "an orphan stands at the margin"
    );

    let soon = Duration::from_millis(10);
    let waiting = receiver.wait_for_tree(TRACE_ID, OVERVIEW, soon);
    let waiting = futures_util::FutureExt::catch_unwind(AssertUnwindSafe(waiting));
    let message = waiting.await.expect_err("the tree is another");
    let message = message.downcast_ref::<String>().expect("a message");
    assert!(message.contains("and not"), "{message}");
}

#[tokio::test]
async fn legacy_names_are_found_wherever_they_are() {
    let receiver = Receiver::start();
    let mut old = span(1, 0, SpanKind::Server, "GET /");
    let text = |text: &str| Value::StringValue(text.to_owned());
    old.attributes = vec![
        attribute("http.method", text("GET")),
        attribute("http.request.method", text("GET")),
        attribute("net.peer.name", text("localhost")),
    ];
    old.events = vec![wire::span::Event {
        attributes: vec![attribute("code.lineno", Value::IntValue(7))],
        ..Default::default()
    }];
    export_spans(&receiver, "user", vec![old]).await;
    assert_eq!(
        receiver.legacy_names(),
        ["code.lineno", "http.method", "net.peer.name"]
    );
}

#[tokio::test]
async fn a_histogram_shows_its_count_and_bounds() {
    let receiver = Receiver::start();
    let metric = Metric {
        name: "http.server.request.duration".to_owned(),
        unit: "s".to_owned(),
        data: Some(Data::Histogram(Histogram {
            data_points: vec![HistogramDataPoint {
                count: 2,
                sum: Some(0.5),
                explicit_bounds: vec![0.005, 10.0],
                ..Default::default()
            }],
            ..Default::default()
        })),
        ..Default::default()
    };
    let scope_metrics = vec![ScopeMetrics {
        metrics: vec![metric],
        ..Default::default()
    }];
    let export = ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource("course")),
            scope_metrics,
            ..Default::default()
        }],
    };
    export_to(&receiver, "/v1/metrics", &export).await;

    let name = "http.server.request.duration";
    let enough = |metric: &lyceum_testing::otlp::Metric| metric.unit == "s";
    let received = receiver
        .wait_for_metric("course", name, enough, PATIENCE)
        .await;
    let expected = Measurement::Histogram {
        count: 2,
        sum: 0.5,
        bounds: vec![0.005, 10.0],
    };
    assert_eq!(received.points[0].value, expected);
}

fn span(id: u8, parent: u8, kind: SpanKind, name: &str) -> Span {
    Span {
        trace_id: TRACE_ID_NUMBER.to_be_bytes().to_vec(),
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { vec![] } else { vec![parent; 8] },
        kind: kind.into(),
        name: name.to_owned(),
        ..Default::default()
    }
}

fn attribute(name: &str, value: Value) -> KeyValue {
    KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..Default::default()
    }
}

fn resource(service: &str) -> Resource {
    Resource {
        attributes: vec![attribute(
            "service.name",
            Value::StringValue(service.to_owned()),
        )],
        ..Default::default()
    }
}

async fn export_spans(receiver: &Receiver, service: &str, spans: Vec<Span>) {
    let export = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource(service)),
            scope_spans: vec![ScopeSpans {
                spans,
                ..Default::default()
            }],
            ..Default::default()
        }],
    };
    export_to(receiver, "/v1/traces", &export).await;
}

async fn export_to(receiver: &Receiver, path: &str, export: &impl Message) {
    let client = Client::new(receiver.endpoint());
    let request = client.post(path);
    let request = request.body(export.encode_to_vec(), "application/x-protobuf");
    request.send().await.expect(200);
}
