//! The SERVER span of a request, over real sockets.

use actix_web::{
    HttpResponse,
    body::{BodySize, MessageBody},
    web::{self, Bytes, Path, ServiceConfig},
};
use lyceum_telemetry::{
    attempt::{AttemptSpan, Target},
    context, metrics_text,
    testing::capture,
};
use opentelemetry::trace::{SpanKind, Status};
use std::{
    convert::Infallible,
    pin::Pin,
    sync::OnceLock,
    task::{Context, Poll},
};
use tokio::sync::Notify;

use crate::support::{attribute, attributes, caller, only_span, open, read_until, send, serve};

fn routes(app: &mut ServiceConfig) {
    app.route(
        r"/users/{id:\d+}",
        web::get().to(async || HttpResponse::Ok().body(trace())),
    )
    .route(
        "/health",
        web::get().to(async || HttpResponse::Ok().body(trace())),
    )
    .route("/status/{code}", web::get().to(answer_status))
    .route(
        "/measured/{id}",
        web::get().to(async || HttpResponse::Ok().body("x")),
    )
    .route("/logged", web::get().to(logged))
    .route("/forward", web::get().to(forward));
}

fn trace() -> String {
    format!(
        "<{}|{}>",
        context::trace_id().unwrap_or_default(),
        context::tracestate().unwrap_or_default()
    )
}

async fn answer_status(code: Path<u16>) -> HttpResponse {
    HttpResponse::build(actix_web::http::StatusCode::from_u16(*code).unwrap()).finish()
}

async fn logged() -> HttpResponse {
    tracing::error!(target: "lyceum_test", event = "test.failed", attempts = 3, "a part failed, the whole did not");
    HttpResponse::Ok().finish()
}

/// Answers with the headers a peer would have received.
async fn forward() -> HttpResponse {
    let target = Target::new("http://peer/");
    let attempt = AttemptSpan::start(&target, &http::Method::GET, "/", 0);
    let mut headers = http::HeaderMap::new();
    attempt.inject(&mut headers);
    attempt.answered(200);
    HttpResponse::Ok().body(format!("{headers:?}"))
}

#[actix_web::test]
async fn a_request_is_one_span_named_by_its_route() {
    let caller = caller();
    let port = serve(routes, async |address| {
        send(
            address,
            "GET /users/42?token=secret",
            &[&caller.header, "User-Agent: probe/1"],
        )
        .await;
        address.port()
    })
    .await;

    let span = only_span(&caller.trace_id).await;
    assert_eq!(span.name, "GET /users/{id}");
    assert_eq!(span.span_kind, SpanKind::Server);
    assert_eq!(span.status, Status::Unset);
    assert_eq!(span.parent_span_id.to_string(), caller.span_id);
    assert!(span.parent_span_is_remote);
    let expected = [
        ("client.address", "127.0.0.1"),
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("http.route", "/users/{id}"),
        ("network.protocol.version", "1.1"),
        ("server.address", "127.0.0.1"),
        ("server.port", &port.to_string()),
        ("url.path", "/users/42"),
        ("url.scheme", "http"),
        ("user_agent.original", "probe/1"),
    ];
    assert_eq!(
        attributes(&span),
        expected
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    );
}

#[actix_web::test]
async fn only_a_server_error_marks_the_span() {
    for (code, status, error_type) in [
        ("404", Status::Unset, None),
        ("422", Status::Unset, None),
        ("500", Status::error(""), Some("500")),
        ("503", Status::error(""), Some("503")),
    ] {
        let caller = caller();
        serve(routes, async |address| {
            send(address, &format!("GET /status/{code}"), &[&caller.header]).await
        })
        .await;
        let span = only_span(&caller.trace_id).await;
        assert_eq!(span.status, status, "{code}");
        assert_eq!(
            attribute(&span, "error.type").as_deref(),
            error_type,
            "{code}"
        );
        assert_eq!(
            attribute(&span, "http.response.status_code").as_deref(),
            Some(code)
        );
    }
}

#[actix_web::test]
async fn a_path_without_a_route_never_names_a_span() {
    let caller = caller();
    serve(routes, async |address| {
        send(address, "GET /no/such/7f3a", &[&caller.header]).await
    })
    .await;
    let span = only_span(&caller.trace_id).await;
    assert_eq!(span.name, "GET");
    assert_eq!(attribute(&span, "http.route"), None);
    assert_eq!(
        attribute(&span, "http.response.status_code").as_deref(),
        Some("404")
    );
}

#[actix_web::test]
async fn an_unknown_method_is_other() {
    let caller = caller();
    serve(routes, async |address| {
        send(address, "BREW /users/42", &[&caller.header]).await
    })
    .await;
    let span = only_span(&caller.trace_id).await;
    assert_eq!(span.name, "HTTP /users/{id}");
    assert_eq!(
        attribute(&span, "http.request.method").as_deref(),
        Some("_OTHER")
    );
    assert_eq!(
        attribute(&span, "http.request.method_original").as_deref(),
        Some("BREW")
    );
}

#[actix_web::test]
async fn vendors_state_and_baggage_travel_on() {
    let caller = caller();
    let headers = [
        caller.header.as_str(),
        "tracestate: a=1",
        "tracestate: b=2",
        "baggage: tenant=blue",
    ];
    let answer = serve(routes, async |address| {
        send(address, "GET /forward", &headers).await
    })
    .await;
    let spans = capture().wait_for_spans(&caller.trace_id, 2).await;
    let attempt = spans
        .iter()
        .find(|span| span.span_kind == SpanKind::Client)
        .unwrap();
    let server = spans
        .iter()
        .find(|span| span.span_kind == SpanKind::Server)
        .unwrap();
    assert_eq!(attempt.parent_span_id, server.span_context.span_id());
    let sent = format!(
        "00-{}-{}-01",
        caller.trace_id,
        attempt.span_context.span_id()
    );
    assert!(
        answer.contains(&format!(r#""traceparent": "{sent}""#)),
        "{answer}"
    );
    assert!(answer.contains(r#""tracestate": "a=1,b=2""#), "{answer}");
    assert!(answer.contains(r#""baggage": "tenant=blue""#), "{answer}");
}

#[actix_web::test]
async fn an_invalid_traceparent_starts_a_new_trace_without_state() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let valid = format!("traceparent: 00-{TRACE}-b7ad6b7169203331-01");
    let cases: [&[&str]; 6] = [
        &["traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01"],
        &["traceparent: 00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"],
        &["traceparent: 00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"],
        &["traceparent: ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
        &["traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"],
        &[&valid, &valid],
    ];
    serve(routes, async |address| {
        for case in cases {
            let headers = [case, &["tracestate: vendor=1"]].concat();
            let answer = send(address, "GET /users/1", &headers).await;
            let (trace_id, state) = answer.split('<').nth(1).unwrap().split_once('|').unwrap();
            assert_ne!(trace_id.to_lowercase(), TRACE, "{case:?}");
            assert_eq!(state, ">", "{case:?}");
            let span = only_span(trace_id).await;
            assert_eq!(
                span.parent_span_id.to_string(),
                "0000000000000000",
                "{case:?}"
            );
        }
    })
    .await;
}

#[actix_web::test]
async fn a_probe_leaves_no_span() {
    let (probe, request) = (caller(), caller());
    serve(routes, async |address| {
        let answer = send(address, "GET /health", &[&probe.header]).await;
        assert!(answer.contains("<|>"), "the probe ran in a trace: {answer}");
        send(address, "GET /users/1", &[&request.header]).await;
    })
    .await;
    only_span(&request.trace_id).await;
    assert_eq!(capture().spans_of(&probe.trace_id).len(), 0);
}

#[actix_web::test]
async fn a_log_line_names_its_span_and_an_error_line_does_not_fail_the_request() {
    let caller = caller();
    serve(routes, async |address| {
        send(address, "GET /logged", &[&caller.header]).await
    })
    .await;
    let span = only_span(&caller.trace_id).await;
    assert_eq!(span.status, Status::Unset);
    let events: Vec<_> = span
        .events
        .iter()
        .map(|event| event.name.as_ref())
        .collect();
    assert_eq!(events, ["test.failed"]);

    let lines = capture().lines_of(&caller.trace_id);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0]["span_id"], span.span_context.span_id().to_string());
    assert_eq!(lines[0]["level"], "ERROR");
    assert_eq!(lines[0]["event"], "test.failed");
    assert_eq!(lines[0]["attempts"], 3);
    assert_eq!(lines[0]["target"], "lyceum_test");
}

#[actix_web::test]
async fn every_request_leaves_one_line_and_a_probe_none() {
    let callers = [caller(), caller()];
    serve(routes, async |address| {
        send(address, "GET /users/7?token=x", &[&callers[0].header]).await;
        send(address, "GET /health", &[&callers[1].header]).await;
    })
    .await;
    let span = only_span(&callers[0].trace_id).await;
    assert_eq!(span.events.len(), 0, "the span says it all by itself");
    let lines = capture().lines_of(&callers[0].trace_id);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["span_id"], span.span_context.span_id().to_string());
    assert_eq!(lines[0]["target"], "access");
    assert_eq!(lines[0]["event"], "http.answered");
    assert_eq!(lines[0]["method"], "GET");
    assert_eq!(lines[0]["route"], "/users/{id}");
    assert_eq!(lines[0]["status"], 200);
    assert!(lines[0]["duration_ms"].is_f64(), "{lines:?}");
    assert_eq!(capture().lines_of(&callers[1].trace_id).len(), 0);
}

#[actix_web::test]
async fn durations_are_counted_by_route() {
    let caller = caller();
    serve(routes, async |address| {
        send(address, "GET /measured/7", &[&caller.header]).await
    })
    .await;
    only_span(&caller.trace_id).await;
    let text = metrics_text();
    let count = text.lines().find(|line| {
        line.starts_with("http_server_request_duration_seconds_count")
            && line.contains(r#"http_route="/measured/{id}""#)
            && line.contains(r#"http_response_status_code="200""#)
    });
    assert!(count.is_some_and(|line| line.ends_with(" 1")), "{text}");
    for bound in ["0.005", "0.075", "7.5", "10"] {
        assert!(
            text.contains(&format!(r#"le="{bound}""#)),
            "no bucket {bound}"
        );
    }
    assert!(!text.contains("/measured/7"), "a path became a label");
    assert!(text.contains("http_server_active_requests"));
}

#[actix_web::test]
async fn a_stream_ends_its_span_with_the_head_and_stays_in_its_trace() {
    static NEXT: Notify = Notify::const_new();
    fn streaming(app: &mut ServiceConfig) {
        app.route(
            "/stream",
            web::get().to(async || HttpResponse::Ok().streaming(chunks())),
        );
    }
    fn chunks() -> impl tokio_stream::Stream<Item = Result<Bytes, Infallible>> {
        futures_util::stream::once(async {
            NEXT.notified().await;
            Ok(Bytes::from(trace()))
        })
    }
    let caller = caller();
    serve(streaming, async |address| {
        let mut connection = open(address, "GET /stream", &[&caller.header]).await;
        read_until(&mut connection, "\r\n\r\n").await;
        let span = only_span(&caller.trace_id).await;
        assert_eq!(span.name, "GET /stream");
        NEXT.notify_one();
        read_until(&mut connection, &format!("<{}|", caller.trace_id)).await;
    })
    .await;
}

#[actix_web::test]
async fn a_body_of_known_length_ends_its_span_with_the_last_byte() {
    static LAST: Notify = Notify::const_new();
    fn slow(app: &mut ServiceConfig) {
        app.route(
            "/slow",
            web::get().to(async || {
                HttpResponse::Ok().body(TwoParts {
                    first: true,
                    last: None,
                })
            }),
        );
    }
    struct TwoParts {
        first: bool,
        last: Option<Pin<Box<dyn Future<Output = ()>>>>,
    }
    impl MessageBody for TwoParts {
        type Error = Infallible;

        fn size(&self) -> BodySize {
            BodySize::Sized(2)
        }

        fn poll_next(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Bytes, Infallible>>> {
            if std::mem::take(&mut self.first) {
                self.last = Some(Box::pin(LAST.notified()));
                return Poll::Ready(Some(Ok(Bytes::from_static(b"1"))));
            }
            let Some(last) = &mut self.last else {
                return Poll::Ready(None);
            };
            std::task::ready!(last.as_mut().poll(cx));
            self.last = None;
            Poll::Ready(Some(Ok(Bytes::from_static(b"2"))))
        }
    }
    let caller = caller();
    serve(slow, async |address| {
        let mut connection = open(address, "GET /slow", &[&caller.header]).await;
        read_until(&mut connection, "\r\n\r\n1").await;
        assert_eq!(
            capture().spans_of(&caller.trace_id).len(),
            0,
            "the span ended before the body"
        );
        LAST.notify_one();
        only_span(&caller.trace_id).await;
    })
    .await;
}

#[actix_web::test]
async fn a_client_that_leaves_ends_the_span_without_status_or_error() {
    static STARTED: Notify = Notify::const_new();
    static DROPPED: OnceLock<()> = OnceLock::new();
    fn endless(app: &mut ServiceConfig) {
        app.route("/endless", web::get().to(wait_for_ever));
    }
    async fn wait_for_ever() -> HttpResponse {
        struct Guard;
        impl Drop for Guard {
            fn drop(&mut self) {
                DROPPED.get_or_init(|| ());
            }
        }
        let _guard = Guard;
        STARTED.notify_one();
        std::future::pending().await
    }
    let caller = caller();
    serve(endless, async |address| {
        let connection = open(address, "GET /endless", &[&caller.header]).await;
        STARTED.notified().await;
        drop(connection);
        let span = only_span(&caller.trace_id).await;
        assert!(
            DROPPED.get().is_some(),
            "the span ended while its handler lived on"
        );
        assert_eq!(span.status, Status::Unset);
        assert_eq!(attribute(&span, "http.response.status_code"), None);
        assert_eq!(attribute(&span, "error.type"), None);
        let lines = capture().lines_of(&caller.trace_id);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0]["event"], "http.abandoned");
    })
    .await;
}
