//! Copies the project's own log events into the span they happen in, as span events.
//! It stands in for the copying of tracing-opentelemetry, which also turns the span's status into Error on every
//! `error!`: a request answered 200 would look failed. Here an event never touches the status.

use opentelemetry::{Context, KeyValue, trace::TraceContextExt};
use std::fmt::Debug;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer};

use crate::{context, server::ACCESS_LOG};

/// The layer. Only events that carry the stable `event` field are copied; they are named by it. The access log is
/// left out: what it says of a request is what the request's span says.
pub(crate) struct SpanEvents;

impl<S: Subscriber> Layer<S> for SpanEvents {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        if event.metadata().target() == ACCESS_LOG || !context::is_recording() {
            return;
        }
        let mut copy = Copy::default();
        event.record(&mut copy);
        if let Some(name) = copy.name {
            copy.attributes
                .push(KeyValue::new("level", event.metadata().level().as_str()));
            Context::map_current(|context| context.span().add_event(name, copy.attributes));
        }
    }
}

#[derive(Default)]
struct Copy {
    name: Option<String>,
    attributes: Vec<KeyValue>,
}

impl Visit for Copy {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.attributes.push(KeyValue::new(field.name(), value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.attributes.push(KeyValue::new(field.name(), value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.attributes.push(KeyValue::new(field.name(), value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.attributes.push(KeyValue::new(field.name(), value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "event" {
            self.name = Some(value.to_owned());
        } else {
            self.attributes
                .push(KeyValue::new(field.name(), value.to_owned()));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
