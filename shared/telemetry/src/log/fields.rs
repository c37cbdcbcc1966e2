//! Writes an event's fields as entries of a JSON object, beside the line's own keys.
//! A field may not pose as one of those keys: it is written as `fields.<name>`.

use serde::ser::SerializeMap;
use std::{borrow::Cow, error::Error, fmt::Debug};
use tracing::{
    Event,
    field::{Field, Visit},
};

/// Keys that every line owns.
const RESERVED: [&str; 6] = [
    "timestamp",
    "level",
    "service",
    "target",
    "trace_id",
    "span_id",
];

/// A visitor that keeps the first failure, because [`Visit`] cannot return one.
pub(super) struct JsonFields<'a, M: SerializeMap> {
    object: &'a mut M,
    outcome: Result<(), M::Error>,
}

impl<M: SerializeMap> JsonFields<'_, M> {
    /// Writes every field of `event` into `object`.
    pub(super) fn write(object: &mut M, event: &Event<'_>) -> Result<(), M::Error> {
        let mut fields = JsonFields {
            object,
            outcome: Ok(()),
        };
        event.record(&mut fields);
        fields.outcome
    }

    fn entry<T: serde::Serialize + ?Sized>(&mut self, field: &Field, value: &T) {
        // Lines that came through the `log` crate repeat their metadata in fields of this prefix.
        if self.outcome.is_err() || field.name().starts_with("log.") {
            return;
        }
        self.outcome = if RESERVED.contains(&field.name()) {
            self.object
                .serialize_entry(&format!("fields.{}", field.name()), value)
        } else {
            self.object.serialize_entry(field.name(), value)
        };
    }
}

impl<M: SerializeMap> Visit for JsonFields<'_, M> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.entry(field, &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.entry(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.entry(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.entry(field, &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.entry(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        self.entry(field, &text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.entry(field, &format_args!("{value:?}"));
    }
}

/// The module a line comes from; for lines through the `log` crate, the one they name themselves.
pub(super) fn origin(event: &Event<'_>) -> Cow<'static, str> {
    let target = event.metadata().target();
    if target != "log" {
        return Cow::Borrowed(target);
    }
    let mut found = LogTarget(None);
    event.record(&mut found);
    found.0.map_or(Cow::Borrowed(target), Cow::Owned)
}

struct LogTarget(Option<String>);

impl Visit for LogTarget {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "log.target" {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
