//! Attributes as a sorted map of JSON values, which compare with what a test writes.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Wire;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use serde_json::Value;

/// Attributes by name: `attributes["http.response.status_code"] == 200`.
pub type Attributes = BTreeMap<String, Value>;

/// Decodes a list of attributes.
///
/// # Panics
/// When a name comes twice, which collectors resolve differently.
pub(super) fn of(wire: Vec<KeyValue>) -> Attributes {
    let mut attributes = Attributes::new();
    for KeyValue { key, value, .. } in wire {
        let value = json(value.and_then(|value| value.value));
        let earlier = attributes.insert(key.clone(), value);
        assert!(earlier.is_none(), "the attribute {key} comes twice");
    }
    attributes
}

/// The attributes of a resource and its `service.name`; empty without one.
pub(super) fn of_resource(resource: Option<Resource>) -> (String, Attributes) {
    let attributes = of(resource.unwrap_or_default().attributes);
    let service = attributes.get("service.name").and_then(Value::as_str);
    (service.unwrap_or_default().to_owned(), attributes)
}

fn json(value: Option<Wire>) -> Value {
    match value {
        None => Value::Null,
        Some(Wire::StringValue(text)) => text.into(),
        Some(Wire::BoolValue(truth)) => truth.into(),
        Some(Wire::IntValue(number)) => number.into(),
        Some(Wire::DoubleValue(number)) => number.into(),
        Some(Wire::ArrayValue(list)) => {
            let values = list.values.into_iter();
            values.map(|AnyValue { value }| json(value)).collect()
        }
        Some(Wire::KvlistValue(map)) => of(map.values).into_iter().collect(),
        Some(other @ (Wire::BytesValue(_) | Wire::StringValueStrindex(_))) => {
            panic!("no service of ours sends {other:?}")
        }
    }
}
