//! A real server on port 0, a client that writes requests by hand, and readers of captured spans.

use actix_web::{App, HttpServer, web::ServiceConfig};
use lyceum_telemetry::{server::RequestTelemetry, testing::capture};
use opentelemetry_sdk::trace::SpanData;
use std::{collections::BTreeMap, future::Future, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Serves `routes` behind the middleware while `work` runs.
pub(crate) async fn serve<T, W: Future<Output = T>>(
    routes: fn(&mut ServiceConfig),
    work: impl FnOnce(SocketAddr) -> W,
) -> T {
    capture();
    let telemetry = RequestTelemetry::new().without(&["/health"]);
    let server = HttpServer::new(move || App::new().wrap(telemetry).configure(routes))
        .workers(1)
        .h1_allow_half_closed(false)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    let work = async {
        let result = work(address).await;
        handle.stop(false).await;
        result
    };
    futures_util::future::join(server, work).await.1
}

/// Sends `METHOD path` with extra header lines and reads the answer to its end.
pub(crate) async fn send(address: SocketAddr, request_line: &str, headers: &[&str]) -> String {
    let mut connection = open(address, request_line, headers).await;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Sends a request and leaves the answer to be read.
pub(crate) async fn open(address: SocketAddr, request_line: &str, headers: &[&str]) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let headers = [headers, &["", ""]].concat().join("\r\n");
    let request =
        format!("{request_line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}");
    connection.write_all(request.as_bytes()).await.unwrap();
    connection
}

/// Reads until the answer contains `mark`.
pub(crate) async fn read_until(connection: &mut TcpStream, mark: &str) -> String {
    let mut answer = String::new();
    while !answer.contains(mark) {
        let mut piece = [0; 1024];
        let length = connection.read(&mut piece).await.unwrap();
        assert_ne!(length, 0, "the answer ended before {mark:?}: {answer}");
        answer.push_str(std::str::from_utf8(&piece[..length]).unwrap());
    }
    answer
}

/// A caller's span: trace id, span id, and both as a header line.
pub(crate) struct Caller {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) header: String,
}

impl Caller {
    /// The span as a `traceparent` that asks not to be recorded.
    pub(crate) fn unsampled(&self) -> String {
        format!("00-{}-{}-00", self.trace_id, self.span_id)
    }
}

pub(crate) fn caller() -> Caller {
    let trace_id = uuid::Uuid::new_v4().simple().to_string();
    let span_id = uuid::Uuid::new_v4().simple().to_string()[16..].to_owned();
    let header = format!("traceparent: 00-{trace_id}-{span_id}-01");
    Caller {
        trace_id,
        span_id,
        header,
    }
}

/// The single span of a trace, once it has ended.
pub(crate) async fn only_span(trace_id: &str) -> SpanData {
    let mut spans = capture().wait_for_spans(trace_id, 1).await;
    assert_eq!(spans.len(), 1, "{spans:#?}");
    spans.remove(0)
}

/// A span's attributes as text, by name.
pub(crate) fn attributes(span: &SpanData) -> BTreeMap<String, String> {
    span.attributes
        .iter()
        .map(|pair| (pair.key.to_string(), pair.value.to_string()))
        .collect()
}

/// The named attribute as text.
pub(crate) fn attribute(span: &SpanData, name: &str) -> Option<String> {
    attributes(span).remove(name)
}
