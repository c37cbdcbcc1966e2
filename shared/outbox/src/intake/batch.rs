//! The body of `POST /internal/events`, parsed with every fault named.

use std::convert::Infallible;

use lyceum_chassis::http::{Fields, FromFields, Rule};
use lyceum_contracts::event::{Envelope, Event, MAX_BATCH};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::check::{EventRule, check};

/// How much of an unknown event's name is repeated to its sender, in characters.
const SHOWN_NAME: usize = 64;

/// 1 to [`MAX_BATCH`] events, oldest first.
#[derive(Debug)]
pub struct Batch(pub Vec<Envelope>);

impl FromFields for Batch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let events = fields.list::<Item>("events", 1..=MAX_BATCH)?;
        Some(Self(events.into_iter().map(|item| item.0).collect()))
    }
}

struct Item(Envelope);

impl FromFields for Item {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let event_id = fields.required("event_id", Ok::<Uuid, Infallible>);
        let occurred_at = fields.required("occurred_at", |text: String| {
            OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| EventRule::Time)
        });
        // A trace context that cannot be read is no fault (W3C): the effect stands without it.
        let traceparent = fields.optional("traceparent", Ok::<String, Infallible>);
        let event = event(fields);
        Some(Self(Envelope {
            event_id: event_id?,
            occurred_at: occurred_at?,
            traceparent: traceparent?,
            event: event?,
        }))
    }
}

/// The event in `type` and `data`. Its shape is the contract's own; fields that a newer sender
/// has added to `data` are left alone, so that senders can be renewed before this service.
fn event(fields: &mut Fields) -> Option<Event> {
    let name = fields.required("type", Ok::<String, Infallible>);
    let data = fields.required("data", Ok::<Value, Infallible>);
    let (name, data) = (name?, data?);
    match serde_json::from_value::<Event>(json!({ "type": name, "data": data })) {
        Ok(event) => match check(&event) {
            Ok(()) => Some(event),
            Err(rule) => {
                fields.fault("data", rule.code(), rule.to_string());
                None
            }
        },
        Err(error) => {
            let message = error.to_string();
            if message.starts_with("unknown variant") {
                let name: String = name.chars().take(SHOWN_NAME).collect();
                let detail = format!("`{name}` is not an event this service knows");
                fields.fault("type", "unknown_event", detail);
            } else {
                fields.fault("data", "invalid", without_value(&message));
            }
            None
        }
    }
}

/// Serde's "invalid type: string \"x\", expected i64" without the value.
fn without_value(message: &str) -> String {
    match message.rsplit_once("expected ") {
        Some((_, wanted)) => format!("has a field that must be {wanted}"),
        None => message.to_owned(),
    }
}
