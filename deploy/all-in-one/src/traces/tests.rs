//! A span goes in by OTLP and comes out of Jaeger's API, over real sockets.

use std::net::SocketAddr;

use otlp_embedded::proto::collector::trace::v1::ExportTraceServiceRequest;
use otlp_embedded::proto::common::v1::any_value::Value as OtlpValue;
use otlp_embedded::proto::common::v1::{AnyValue, KeyValue};
use otlp_embedded::proto::resource::v1::Resource;
use otlp_embedded::proto::trace::v1::span::SpanKind;
use otlp_embedded::proto::trace::v1::status::StatusCode;
use otlp_embedded::proto::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use serde_json::Value;
use tokio::task::JoinSet;

use super::*;
use crate::http::Http;

struct Page {
    otlp: SocketAddr,
    ui: SocketAddr,
    http: Http,
    _serving: JoinSet<io::Result<()>>,
}

impl Page {
    fn open() -> Self {
        let [otlp, page] = [0, 0].map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
        let (otlp_at, page_at) = (otlp.local_addr().unwrap(), page.local_addr().unwrap());
        let mut serving = JoinSet::new();
        serving.spawn(serve(otlp, page, CancellationToken::new()));
        Self {
            otlp: otlp_at,
            ui: page_at,
            http: Http::new(),
            _serving: serving,
        }
    }

    async fn export(&self, path: &str, content_type: &str, body: Vec<u8>) -> u16 {
        let url = format!("http://{}{path}", self.otlp);
        self.http
            .post_bytes(&url, content_type, body)
            .await
            .unwrap()
            .status
    }

    async fn receive(&self, spans: Vec<Span>) {
        let body = export_of(spans).encode_to_vec();
        assert_eq!(
            self.export("/v1/traces", "application/x-protobuf", body)
                .await,
            200
        );
    }

    async fn listed(&self) -> Vec<Value> {
        let url = format!("http://{}/api/traces?service=user&limit=20", self.ui);
        let answer = self.http.get(&url).await.unwrap().json::<Value>().unwrap();
        answer["data"].as_array().unwrap().clone()
    }
}

fn export_of(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let name = AnyValue {
        value: Some(OtlpValue::StringValue("user".to_owned())),
    };
    let attribute = KeyValue {
        key: "service.name".to_owned(),
        value: Some(name),
    };
    let resource = Resource {
        attributes: vec![attribute],
        ..Resource::default()
    };
    let scope_spans = vec![ScopeSpans {
        spans,
        ..ScopeSpans::default()
    }];
    let resource_spans = vec![ResourceSpans {
        resource: Some(resource),
        scope_spans,
        ..ResourceSpans::default()
    }];
    ExportTraceServiceRequest { resource_spans }
}

fn span(id: u8, kind: SpanKind) -> Span {
    Span {
        trace_id: vec![id; 16],
        span_id: vec![id; 8],
        name: "GET /users/{id}".to_owned(),
        kind: kind.into(),
        start_time_unix_nano: 1_000_000,
        end_time_unix_nano: 3_000_000,
        ..Span::default()
    }
}

fn tag<'a>(trace: &'a Value, key: &str) -> Option<&'a Value> {
    let tags = trace["spans"][0]["tags"].as_array()?;
    Some(&tags.iter().find(|tag| tag["key"] == key)?["value"])
}

#[tokio::test]
async fn a_received_span_shows_its_kind_its_status_and_its_service() {
    let page = Page::open();
    let message = "peer gone".to_owned();
    let status = Some(Status {
        message,
        code: StatusCode::Error.into(),
    });
    page.receive(vec![Span {
        status,
        ..span(1, SpanKind::Client)
    }])
    .await;

    let traces = page.listed().await;
    assert_eq!(traces.len(), 1);
    assert_eq!(tag(&traces[0], "span.kind").unwrap(), "client");
    assert_eq!(tag(&traces[0], "error").unwrap(), true);
    assert_eq!(tag(&traces[0], "otel.status_code").unwrap(), "ERROR");
    assert_eq!(
        tag(&traces[0], "otel.status_description").unwrap(),
        "peer gone"
    );
    assert_eq!(traces[0]["processes"]["user"]["serviceName"], "user");
}

#[tokio::test]
async fn a_span_that_went_well_is_not_marked_as_an_error() {
    let page = Page::open();
    page.receive(vec![span(1, SpanKind::Server)]).await;
    let traces = page.listed().await;
    assert_eq!(tag(&traces[0], "span.kind").unwrap(), "server");
    assert_eq!(tag(&traces[0], "error"), None);
}

#[tokio::test]
async fn spans_the_page_would_choke_on_are_mended_or_left_out() {
    let page = Page::open();
    let ends_before_it_starts = Span {
        end_time_unix_nano: 0,
        ..span(1, SpanKind::Server)
    };
    let without_id = Span {
        span_id: Vec::new(),
        ..span(2, SpanKind::Server)
    };
    let own_parent = Span {
        parent_span_id: vec![3; 8],
        ..span(3, SpanKind::Server)
    };
    page.receive(vec![ends_before_it_starts, without_id, own_parent])
        .await;

    let traces = page.listed().await;
    assert_eq!(traces.len(), 1);
    assert_eq!(traces[0]["spans"][0]["duration"], 0);
}

#[tokio::test]
async fn metrics_are_accepted_and_what_is_not_otlp_is_refused() {
    let page = Page::open();
    assert_eq!(
        page.export("/v1/metrics", "application/x-protobuf", vec![1, 2])
            .await,
        200
    );
    assert_eq!(
        page.export("/v1/traces", "application/x-protobuf", vec![0xff; 9])
            .await,
        400
    );
    assert_eq!(
        page.export("/v1/traces", "application/json", b"{}".to_vec())
            .await,
        415
    );
    assert_eq!(
        page.export("/v1/logs", "application/x-protobuf", Vec::new())
            .await,
        404
    );
}

#[tokio::test]
async fn the_page_answers_at_its_root_and_at_the_address_of_a_trace() {
    let page = Page::open();
    for path in ["/", "/trace/0af7651916cd43dd8448eb211c80319c"] {
        let answer = page
            .http
            .get(&format!("http://{}{path}", page.ui))
            .await
            .unwrap();
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.text().contains("Jaeger UI"), "{path}");
    }
}
