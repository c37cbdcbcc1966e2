//! A merge patch (RFC 7396) of an upstream's settings, read against those in force.
//!
//! Every fault is named at once, and nothing changes as long as there is one.

use lyceum_client::UpstreamSettings;
use lyceum_contracts::problem::Fault;
use serde_json::{Map, Value};

use crate::http::{Fields, FromFields, expectation};

/// What is to change.
#[derive(Debug)]
pub(super) struct Patch(Map<String, Value>);

impl FromFields for Patch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self(fields.rest()))
    }
}

impl Patch {
    /// The settings after the change, whether or not they contradict themselves.
    pub(super) fn apply(self, before: &UpstreamSettings) -> Result<UpstreamSettings, Vec<Fault>> {
        let Ok(Value::Object(before)) = serde_json::to_value(before) else {
            return Err(vec![fault("", "wrong_type", "settings are an object")]);
        };
        let mut faults = Vec::new();
        find_faults(&self.0, &before, "", &mut faults, &|alone| {
            let mut whole = before.clone();
            merge(&mut whole, alone);
            read(whole)
        });
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut whole = before.clone();
        merge(&mut whole, self.0);
        read(whole).map_err(|detail| vec![fault("", "wrong_type", &detail)])
    }
}

fn read(settings: Map<String, Value>) -> Result<UpstreamSettings, String> {
    serde_json::from_value(Value::Object(settings)).map_err(|error| expectation(&error))
}

/// Looks at each value of the patch as if it stood alone.
fn find_faults(
    patch: &Map<String, Value>,
    known: &Map<String, Value>,
    place: &str,
    faults: &mut Vec<Fault>,
    read: &dyn Fn(Map<String, Value>) -> Result<UpstreamSettings, String>,
) {
    for (key, value) in patch {
        let place = format!("{place}/{key}");
        match (value, known.get(key)) {
            (_, None) => faults.push(fault(&place, "unknown_field", "is no setting of a peer")),
            (Value::Object(inner), Some(Value::Object(known))) => {
                let read = |alone| read(Map::from_iter([(key.clone(), Value::Object(alone))]));
                find_faults(inner, known, &place, faults, &read);
            }
            (value, Some(_)) => {
                let alone = Map::from_iter([(key.clone(), value.clone())]);
                if let Err(detail) = read(alone) {
                    faults.push(fault(&place, "wrong_type", &detail));
                }
            }
        }
    }
}

fn fault(place: &str, code: &str, detail: &str) -> Fault {
    Fault {
        pointer: format!("#{place}"),
        detail: detail.to_owned(),
        code: code.to_owned(),
    }
}

/// RFC 7396 §2.
fn merge(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (key, value) in patch {
        match (value, target.get_mut(&key)) {
            (Value::Null, _) => drop(target.remove(&key)),
            (Value::Object(inner), Some(Value::Object(target))) => merge(target, inner),
            (value, _) => drop(target.insert(key, value)),
        }
    }
}

/// The keys whose values differ, as they stand in the settings below `upstreams.<peer>`.
pub(super) fn changed(before: &UpstreamSettings, after: &UpstreamSettings) -> Vec<String> {
    let mut keys = Vec::new();
    if let (Ok(before), Ok(after)) = (serde_json::to_value(before), serde_json::to_value(after)) {
        differ(&before, &after, String::new(), &mut keys);
    }
    keys
}

fn differ(before: &Value, after: &Value, place: String, keys: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, after) in after {
                let before = before.get(key).unwrap_or(&Value::Null);
                let place = match place.as_str() {
                    "" => key.clone(),
                    place => format!("{place}.{key}"),
                };
                differ(before, after, place, keys);
            }
        }
        (before, after) if before != after => keys.push(place),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings() -> UpstreamSettings {
        UpstreamSettings {
            base_url: "http://peer:8002".to_owned(),
            ..UpstreamSettings::default()
        }
    }

    fn apply(patch: &Value) -> Result<UpstreamSettings, Vec<Fault>> {
        let patch = patch.as_object().unwrap().clone();
        Patch(patch).apply(&settings())
    }

    #[test]
    fn what_is_named_changes_and_nothing_else() {
        let mut expected = settings();
        expected.attempts = 3;
        expected.breaker.open_ms = 7_000;
        let patch = json!({"attempts": 3, "breaker": {"open_ms": 7_000}});
        assert_eq!(apply(&patch), Ok(expected.clone()));
        assert_eq!(
            changed(&settings(), &expected),
            ["attempts", "breaker.open_ms"]
        );
        assert_eq!(apply(&json!({})), Ok(settings()));
        assert!(changed(&settings(), &settings()).is_empty());
    }

    #[test]
    fn null_brings_the_default_back_of_a_key_or_of_a_section() {
        let mut other = settings();
        (other.attempts, other.breaker.open_ms) = (3, 7_000);
        for patch in [
            json!({"attempts": null, "breaker": null}),
            json!({"attempts": null, "breaker": {"open_ms": null}}),
        ] {
            let patch = Patch(patch.as_object().unwrap().clone());
            assert_eq!(patch.apply(&other), Ok(settings()));
        }
    }

    #[test]
    fn every_fault_is_named_at_once_and_no_value_is_repeated() {
        let faults = apply(&json!({
            "atempts": 3,
            "attempts": "three",
            "total_timeout_ms": -7,
            "breaker": {"open_ms": 1.5, "opens": true},
            "budget": 7,
            "faults": {"status": 503},
        }))
        .unwrap_err();
        let told: Vec<_> = faults
            .iter()
            .map(|fault| (fault.pointer.as_str(), fault.code.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("#/atempts", "unknown_field"),
                ("#/attempts", "wrong_type"),
                ("#/breaker/open_ms", "wrong_type"),
                ("#/breaker/opens", "unknown_field"),
                ("#/budget", "wrong_type"),
                ("#/total_timeout_ms", "wrong_type"),
            ]
        );
        assert!(faults.iter().all(|fault| !fault.detail.contains("three")));
    }
}
