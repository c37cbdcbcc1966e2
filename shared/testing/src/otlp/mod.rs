//! A collector on the loopback interface that shows what really left by OTLP.
//!
//! It speaks http/protobuf on `/v1/traces` and `/v1/metrics`. Many processes may export to the
//! same one; every span keeps the `service.name` of its resource.
//!
//! ```no_run
//! # async fn example() {
//! # use lyceum_testing::{PATIENCE, otlp::Receiver};
//! let receiver = Receiver::start();
//! let endpoint = receiver.endpoint(); // LYCEUM__TELEMETRY__OTLP_ENDPOINT
//! let expected = "\
//! user SERVER GET /users/{id}/overview
//!   course SERVER GET /users/{id}/stats
//!   user CLIENT GET (error)";
//! receiver.wait_for_tree("0af7651916cd43dd8448eb211c80319c", expected, PATIENCE).await;
//! # }
//! ```

mod attributes;
mod legacy;
mod metric;
mod span;
mod tree;

use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

pub use attributes::Attributes;
pub use metric::{Measurement, Metric, Point};
pub use span::{Kind, Span, SpanEvent, Status};
pub use tree::render;

use crate::journal::Journal;
use crate::peer::{Answer, Received, ScriptedPeer};

/// Names among those of `spans` that semantic conventions have replaced, each once.
pub fn legacy_names(spans: &[Span]) -> Vec<String> {
    legacy::names(spans, &[])
}

/// A running collector; ends with the test.
#[derive(Debug)]
pub struct Receiver {
    peer: ScriptedPeer,
    spans: Journal<Span>,
    metrics: Journal<Metric>,
}

impl Receiver {
    /// Listens on a free port of the loopback interface.
    pub fn start() -> Self {
        let receiver = Self {
            peer: ScriptedPeer::start(),
            spans: Journal::default(),
            metrics: Journal::default(),
        };
        let spans = receiver.spans.clone();
        let traces = receiver.peer.on("POST /v1/traces");
        traces.always_with(move |request| {
            let export: ExportTraceServiceRequest = decode(request);
            spans.extend(span::all_of(export));
            accepted()
        });
        let metrics = receiver.metrics.clone();
        let measurements = receiver.peer.on("POST /v1/metrics");
        measurements.always_with(move |request| {
            let export: ExportMetricsServiceRequest = decode(request);
            metrics.extend(metric::all_of(export));
            accepted()
        });
        receiver
    }

    /// The base URL an exporter is given: `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> String {
        self.peer.url()
    }

    /// Every span so far, in the order of arrival.
    pub fn spans(&self) -> Vec<Span> {
        self.spans.entries()
    }

    /// The spans of one trace so far; the id is 32 lower-case hexadecimal digits.
    pub fn spans_of(&self, trace_id: &str) -> Vec<Span> {
        of_trace(&self.spans(), trace_id)
    }

    /// Every metric so far; a metric comes again with each export.
    pub fn metrics(&self) -> Vec<Metric> {
        self.metrics.entries()
    }

    /// One trace as an indented tree, see [`render`].
    pub fn tree(&self, trace_id: &str) -> String {
        render(&self.spans_of(trace_id), &[])
    }

    /// Waits until `enough` holds of the spans of a trace, and returns them.
    ///
    /// # Panics
    /// When `deadline` passes first: with the tree as it is then.
    pub async fn wait_for(
        &self,
        trace_id: &str,
        mut enough: impl FnMut(&[Span]) -> bool,
        deadline: Duration,
    ) -> Vec<Span> {
        let complete = |spans: &[Span]| {
            let trace = of_trace(spans, trace_id);
            enough(&trace).then_some(trace)
        };
        let spans = self.spans.wait_for(deadline, complete).await;
        spans.unwrap_or_else(|| {
            let tree = self.tree(trace_id);
            panic!("trace {trace_id} was not complete within {deadline:?}:\n{tree}")
        })
    }

    /// Waits until a trace is exactly this tree, and returns its spans.
    ///
    /// # Panics
    /// When `deadline` passes first: with both trees.
    pub async fn wait_for_tree(
        &self,
        trace_id: &str,
        expected: &str,
        deadline: Duration,
    ) -> Vec<Span> {
        let complete = |spans: &[Span]| {
            let trace = of_trace(spans, trace_id);
            (render(&trace, &[]) == expected).then_some(trace)
        };
        let spans = self.spans.wait_for(deadline, complete).await;
        spans.unwrap_or_else(|| {
            let tree = self.tree(trace_id);
            panic!("within {deadline:?} trace {trace_id} is\n{tree}\n\nand not\n{expected}")
        })
    }

    /// Waits until a service has exported a metric that `enough` holds of, and returns it.
    ///
    /// # Panics
    /// When `deadline` passes first: with the names of what was exported.
    pub async fn wait_for_metric(
        &self,
        service: &str,
        name: &str,
        mut enough: impl FnMut(&Metric) -> bool,
        deadline: Duration,
    ) -> Metric {
        let complete = |metrics: &[Metric]| {
            let mut latest = metrics.iter().rev();
            let wanted = |metric: &&Metric| metric.service == service && metric.name == name;
            latest.find(wanted).filter(|metric| enough(metric)).cloned()
        };
        let metric = self.metrics.wait_for(deadline, complete).await;
        metric.unwrap_or_else(|| {
            let names: Vec<_> = self
                .metrics()
                .into_iter()
                .map(|metric| metric.name)
                .collect();
            panic!("{service} did not export the {name} asked for in {deadline:?} but {names:?}")
        })
    }

    /// Names that semantic conventions have replaced, wherever they were received, each once.
    pub fn legacy_names(&self) -> Vec<String> {
        legacy::names(&self.spans(), &self.metrics())
    }
}

fn of_trace(spans: &[Span], trace_id: &str) -> Vec<Span> {
    let trace = spans.iter().filter(|span| span.trace_id == trace_id);
    trace.cloned().collect()
}

fn decode<T: Message + Default>(request: &Received) -> T {
    assert_eq!(
        request.header("content-type"),
        Some("application/x-protobuf"),
        "OTLP is received as protobuf"
    );
    T::decode(&*request.body).expect("an export that decodes")
}

/// An empty protobuf message: everything was taken.
fn accepted() -> Answer {
    Answer::bytes(200, "application/x-protobuf", "")
}
