//! A span goes in by OTLP and comes out of Jaeger's API, over real sockets.

use lyceum_testing::http::Client;
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

const PROTOBUF: &str = "application/x-protobuf";

struct Page {
    otlp: Client,
    ui: Client,
    _serving: JoinSet<io::Result<()>>,
}

impl Page {
    fn open() -> Self {
        let [otlp, page] = [0, 0].map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
        let [to_otlp, to_ui] = [&otlp, &page]
            .map(|listener| Client::new(format!("http://{}", listener.local_addr().unwrap())));
        let mut serving = JoinSet::new();
        serving.spawn(serve(otlp, page, CancellationToken::new()));
        Self {
            otlp: to_otlp,
            ui: to_ui,
            _serving: serving,
        }
    }

    async fn export(&self, path: &str, content_type: &str, body: Vec<u8>) -> u16 {
        self.otlp
            .post(path)
            .body(body, content_type)
            .send()
            .await
            .status
    }

    async fn receive(&self, spans: Vec<Span>) {
        let body = export_of(spans).encode_to_vec();
        assert_eq!(self.export("/v1/traces", PROTOBUF, body).await, 200);
    }

    async fn listed(&self) -> Vec<Value> {
        let list = self
            .ui
            .get("/api/traces?service=user&limit=10000")
            .send()
            .await;
        list.json::<Value>()["data"].as_array().unwrap().clone()
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

fn span(id: u16, kind: SpanKind) -> Span {
    Span {
        trace_id: id.to_be_bytes().repeat(8),
        span_id: id.to_be_bytes().repeat(4),
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
        parent_span_id: 3_u16.to_be_bytes().repeat(4),
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
    assert_eq!(page.export("/v1/metrics", PROTOBUF, vec![1, 2]).await, 200);
    assert_eq!(
        page.export("/v1/traces", PROTOBUF, vec![0xff; 9]).await,
        400
    );
    assert_eq!(
        page.export("/v1/traces", "application/json", b"{}".to_vec())
            .await,
        415
    );
    assert_eq!(page.export("/v1/logs", PROTOBUF, Vec::new()).await, 404);
}

#[tokio::test]
async fn the_page_answers_at_its_root_and_at_the_address_of_a_trace() {
    let page = Page::open();
    for path in ["/", "/trace/0af7651916cd43dd8448eb211c80319c"] {
        let answer = page.ui.get(path).send().await.expect(200);
        assert!(answer.text().contains("Jaeger UI"), "{path}");
    }
}

#[tokio::test]
async fn the_oldest_traces_make_room_for_new_ones() {
    let page = Page::open();
    let more = u16::try_from(MAX_TRACES).unwrap() + 1;
    page.receive((1..=more).map(|id| span(id, SpanKind::Server)).collect())
        .await;
    assert_eq!(
        page.listed().await.len(),
        usize::try_from(MAX_TRACES).unwrap()
    );
    let oldest = page
        .ui
        .get("/api/traces/00010001000100010001000100010001")
        .send()
        .await;
    assert_eq!(oldest.status, 404);
}

#[tokio::test]
async fn traces_that_grow_span_by_span_do_not_use_up_the_page() {
    let page = Page::open();
    let heavy = "x".repeat(16 << 10);
    // Three services export the eight spans of each trace one after the other.
    for id in 1..=200_u16 {
        for part in 0..8 {
            let first = (id * 8).to_be_bytes().repeat(4);
            page.receive(vec![Span {
                span_id: (id * 8 + part).to_be_bytes().repeat(4),
                parent_span_id: if part == 0 { Vec::new() } else { first },
                name: heavy.clone(),
                ..span(id, SpanKind::Server)
            }])
            .await;
        }
    }
    assert_eq!(page.listed().await.len(), 200);
}
