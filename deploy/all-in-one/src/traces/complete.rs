//! What `otlp-embedded` 0.0.2 leaves out or takes for granted, made good before it sees a span.
//!
//! - It shows neither kind nor status: they become the attributes Jaeger knows them by
//!   (OpenTelemetry specification, "OpenTelemetry to Jaeger transformation").
//! - It tells processes apart by `service.instance.id` alone: without one, all services would
//!   share a name.
//! - It subtracts start from end and looks for a root in every trace it lists: spans on which
//!   that would panic are mended or left out.

use otlp_embedded::proto::collector::trace::v1::ExportTraceServiceRequest;
use otlp_embedded::proto::common::v1::any_value::Value;
use otlp_embedded::proto::common::v1::{AnyValue, KeyValue};
use otlp_embedded::proto::resource::v1::Resource;
use otlp_embedded::proto::trace::v1::Span;
use otlp_embedded::proto::trace::v1::span::SpanKind;
use otlp_embedded::proto::trace::v1::status::StatusCode;

const SERVICE_NAME: &str = "service.name";
const INSTANCE_ID: &str = "service.instance.id";

/// Makes one export fit for the trace page.
pub(super) fn complete(export: &mut ExportTraceServiceRequest) {
    for resource_spans in &mut export.resource_spans {
        name_instance(resource_spans.resource.get_or_insert_default());
        for scope in &mut resource_spans.scope_spans {
            scope.spans.retain(is_sound);
            scope.spans.iter_mut().for_each(show_kind_and_status);
        }
    }
}

fn name_instance(resource: &mut Resource) {
    let find = |key| {
        resource
            .attributes
            .iter()
            .find(|attribute| attribute.key == key)
    };
    if find(INSTANCE_ID).is_none()
        && let Some(service) = find(SERVICE_NAME)
    {
        let instance = KeyValue {
            key: INSTANCE_ID.to_owned(),
            value: service.value.clone(),
        };
        resource.attributes.push(instance);
    }
}

/// Ids have the lengths of W3C Trace Context, and no span is its own parent.
fn is_sound(span: &Span) -> bool {
    span.trace_id.len() == 16 && span.span_id.len() == 8 && span.span_id != span.parent_span_id
}

fn show_kind_and_status(span: &mut Span) {
    span.end_time_unix_nano = span.end_time_unix_nano.max(span.start_time_unix_nano);
    let kind = match span.kind() {
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
        SpanKind::Internal | SpanKind::Unspecified => "internal",
    };
    set(span, "span.kind", Value::StringValue(kind.to_owned()));
    let Some(status) = span.status.clone() else {
        return;
    };
    match status.code() {
        StatusCode::Unset => {}
        StatusCode::Ok => set(
            span,
            "otel.status_code",
            Value::StringValue("OK".to_owned()),
        ),
        StatusCode::Error => {
            set(
                span,
                "otel.status_code",
                Value::StringValue("ERROR".to_owned()),
            );
            set(span, "error", Value::BoolValue(true));
            if !status.message.is_empty() {
                set(
                    span,
                    "otel.status_description",
                    Value::StringValue(status.message),
                );
            }
        }
    }
}

fn set(span: &mut Span, key: &str, value: Value) {
    span.attributes.retain(|attribute| attribute.key != key);
    let value = Some(AnyValue { value: Some(value) });
    span.attributes.push(KeyValue {
        key: key.to_owned(),
        value,
    });
}
