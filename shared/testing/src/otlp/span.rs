//! A finished span as it was exported.

use std::fmt;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1 as wire;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde_json::Value;

use super::attributes::{self, Attributes};

/// One span; ids are lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// `service.name` of the resource.
    pub service: String,
    /// All attributes of the resource.
    pub resource: Attributes,
    /// 32 digits.
    pub trace_id: String,
    /// 16 digits.
    pub span_id: String,
    /// 16 digits; `None` at the root of a trace.
    pub parent_span_id: Option<String>,
    /// What role the span plays.
    pub kind: Kind,
    /// The name, from a closed list.
    pub name: String,
    /// Whether it failed.
    pub status: Status,
    /// What it carries.
    pub attributes: Attributes,
    /// What happened on the way.
    pub events: Vec<SpanEvent>,
    /// `(trace_id, span_id)` of the spans it was caused by without being their child.
    pub links: Vec<(String, String)>,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds since 1970.
    pub end: u64,
}

/// Something that happened during a span.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanEvent {
    /// Such as `exception`.
    pub name: String,
    /// What it carries.
    pub attributes: Attributes,
}

/// What role a span plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Within one service.
    Internal,
    /// Answers a request.
    Server,
    /// Sends a request.
    Client,
    /// Puts a message somewhere.
    Producer,
    /// Takes a message from there.
    Consumer,
}

/// Whether a span failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// The usual case.
    Unset,
    /// Set only where somebody vouches for success.
    Ok,
    /// Failed, with an optional description.
    Error(String),
}

impl Span {
    /// An attribute; `null` when it is not there.
    pub fn attribute(&self, name: &str) -> &Value {
        self.attributes.get(name).unwrap_or(&Value::Null)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Internal => "INTERNAL",
            Self::Server => "SERVER",
            Self::Client => "CLIENT",
            Self::Producer => "PRODUCER",
            Self::Consumer => "CONSUMER",
        })
    }
}

/// Every span of an export.
pub(super) fn all_of(export: ExportTraceServiceRequest) -> Vec<Span> {
    let mut spans = Vec::new();
    for of_resource in export.resource_spans {
        let (service, resource) = attributes::of_resource(of_resource.resource);
        let wire = of_resource.scope_spans.into_iter();
        for span in wire.flat_map(|of_scope| of_scope.spans) {
            spans.push(decode(service.clone(), resource.clone(), span));
        }
    }
    spans
}

fn decode(service: String, resource: Attributes, span: wire::Span) -> Span {
    let parent = hexadecimal(&span.parent_span_id);
    let events = span.events.into_iter().map(|event| SpanEvent {
        name: event.name,
        attributes: attributes::of(event.attributes),
    });
    let links = span.links.iter();
    Span {
        service,
        resource,
        trace_id: hexadecimal(&span.trace_id),
        span_id: hexadecimal(&span.span_id),
        parent_span_id: (!parent.is_empty()).then_some(parent),
        kind: match SpanKind::try_from(span.kind) {
            Ok(SpanKind::Internal) => Kind::Internal,
            Ok(SpanKind::Server) => Kind::Server,
            Ok(SpanKind::Client) => Kind::Client,
            Ok(SpanKind::Producer) => Kind::Producer,
            Ok(SpanKind::Consumer) => Kind::Consumer,
            Ok(SpanKind::Unspecified) | Err(_) => panic!("{} has no kind", span.name),
        },
        name: span.name,
        status: span.status.map_or(Status::Unset, status),
        attributes: attributes::of(span.attributes),
        events: events.collect(),
        links: links
            .map(|link| (hexadecimal(&link.trace_id), hexadecimal(&link.span_id)))
            .collect(),
        start: span.start_time_unix_nano,
        end: span.end_time_unix_nano,
    }
}

fn status(status: wire::Status) -> Status {
    match status.code() {
        StatusCode::Unset => Status::Unset,
        StatusCode::Ok => Status::Ok,
        StatusCode::Error => Status::Error(status.message),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
