//! A receiver of OTLP over http/protobuf on a loopback port: as small as a real one can be.

use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    resource::v1::Resource,
    trace::v1::Span,
};
use prost::Message;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

/// How long a test waits for an export.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<(Mutex<Received>, Condvar)>,
}

#[derive(Clone, Default)]
pub(crate) struct Received {
    pub(crate) traces: Vec<ExportTraceServiceRequest>,
    pub(crate) metrics: Vec<ExportMetricsServiceRequest>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::default(),
        };
        let serving = receiver.clone();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let serving = serving.clone();
                thread::spawn(move || serving.serve(&connection.unwrap()));
            }
        });
        receiver
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was received, once `enough` says so.
    pub(crate) fn wait_until(&self, enough: impl Fn(&Received) -> bool) -> Received {
        let (received, changed) = &*self.shared;
        let (received, waited) = changed
            .wait_timeout_while(received.lock().unwrap(), PATIENCE, |received| {
                !enough(received)
            })
            .unwrap();
        assert!(
            !waited.timed_out(),
            "nothing more arrived: {:?}",
            received.span_names()
        );
        received.clone()
    }

    /// What was received until now.
    pub(crate) fn received(&self) -> Received {
        self.shared.0.lock().unwrap().clone()
    }

    fn serve(&self, mut connection: &TcpStream) {
        let mut reader = BufReader::new(connection);
        while let Some((path, body)) = read_request(&mut reader) {
            let (received, changed) = &*self.shared;
            match path.as_str() {
                "/v1/traces" => {
                    let request = ExportTraceServiceRequest::decode(&*body).unwrap();
                    received.lock().unwrap().traces.push(request);
                }
                "/v1/metrics" => {
                    let request = ExportMetricsServiceRequest::decode(&*body).unwrap();
                    received.lock().unwrap().metrics.push(request);
                }
                other => panic!("unexpected path {other}"),
            }
            changed.notify_all();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
            connection.write_all(answer).unwrap();
        }
    }
}

impl Received {
    pub(crate) fn spans(&self) -> Vec<Span> {
        let scopes = self
            .traces
            .iter()
            .flat_map(|request| &request.resource_spans)
            .flat_map(|spans| &spans.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    pub(crate) fn span_names(&self) -> Vec<String> {
        self.spans().into_iter().map(|span| span.name).collect()
    }

    pub(crate) fn metric_names(&self) -> Vec<String> {
        let scopes = self
            .metrics
            .iter()
            .flat_map(|request| &request.resource_metrics)
            .flat_map(|metrics| &metrics.scope_metrics);
        scopes
            .flat_map(|scope| scope.metrics.iter().map(|metric| metric.name.clone()))
            .collect()
    }

    /// The Resource of every request of either signal.
    pub(crate) fn resources(&self) -> Vec<BTreeMap<String, String>> {
        let spans = self
            .traces
            .iter()
            .flat_map(|request| &request.resource_spans)
            .map(|spans| &spans.resource);
        let metrics = self
            .metrics
            .iter()
            .flat_map(|request| &request.resource_metrics)
            .map(|metrics| &metrics.resource);
        spans
            .chain(metrics)
            .map(|resource| described(resource.as_ref().unwrap()))
            .collect()
    }
}

fn described(resource: &Resource) -> BTreeMap<String, String> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let pairs = resource.attributes.iter().map(|pair| {
        let Some(Value::StringValue(value)) = pair.value.clone().and_then(|value| value.value)
        else {
            panic!("{} is no text", pair.key);
        };
        (pair.key.clone(), value)
    });
    pairs.collect()
}

/// One request's path and body; `None` when the peer has closed.
fn read_request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut request_line = String::new();
    reader
        .read_line(&mut request_line)
        .ok()
        .filter(|length| *length > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(("content-type", value)) => assert_eq!(value, "application/x-protobuf"),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Some((request_line.split(' ').nth(1)?.to_owned(), body))
}
