//! Names that the semantic conventions have replaced.
//!
//! Source: the migration guides of semantic-conventions for HTTP, databases and code.

use std::collections::BTreeSet;

use super::{Metric, Span};

const ATTRIBUTES: &[&str] = &[
    "code.column",
    "code.filepath",
    "code.function",
    "code.lineno",
    "code.namespace",
    "db.connection_string",
    "db.name",
    "db.operation",
    "db.sql.table",
    "db.statement",
    "db.system",
    "db.user",
    "deployment.environment",
    "http.client_ip",
    "http.flavor",
    "http.host",
    "http.method",
    "http.request_content_length",
    "http.resend_count",
    "http.response_content_length",
    "http.scheme",
    "http.server_name",
    "http.status_code",
    "http.target",
    "http.url",
    "http.user_agent",
];

/// Everything under `net.` has moved to `server.`, `client.` and `network.`.
const ATTRIBUTE_PREFIX: &str = "net.";

const METRICS: &[&str] = &["http.client.duration", "http.server.duration"];

/// The legacy names among what was received, sorted.
pub(super) fn names(spans: &[Span], metrics: &[Metric]) -> Vec<String> {
    let of_spans = spans.iter().flat_map(|span| {
        let of_events = span.events.iter().flat_map(|event| event.attributes.keys());
        span.attributes
            .keys()
            .chain(span.resource.keys())
            .chain(of_events)
    });
    let points = metrics.iter().flat_map(|metric| &metric.points);
    let of_points = points.flat_map(|point| point.attributes.keys());
    let attributes = of_spans.chain(of_points).filter(|name| is_legacy(name));
    let instruments = metrics.iter().map(|metric| &metric.name);
    let instruments = instruments.filter(|name| METRICS.contains(&name.as_str()));
    let names: BTreeSet<_> = attributes.chain(instruments).cloned().collect();
    names.into_iter().collect()
}

fn is_legacy(attribute: &str) -> bool {
    attribute.starts_with(ATTRIBUTE_PREFIX) || ATTRIBUTES.contains(&attribute)
}
