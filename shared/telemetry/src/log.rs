//! The two shapes of a log line: JSON for machines, one short line for people.
//! Every line written inside a trace carries its `trace_id` and `span_id`.

mod fields;

use opentelemetry::trace::SpanContext;
use serde::ser::{SerializeMap, Serializer};
use std::fmt;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use crate::context;
use fields::{JsonFields, origin};

/// One JSON object a line: `timestamp` (RFC 3339, UTC), `level`, `service`, `target`, `trace_id`, `span_id`, then
/// the event's own fields beside them.
pub(crate) struct Json {
    /// The service's name, so that lines of several services can share one store.
    pub(crate) service: &'static str,
}

/// Time, level, target, fields; ids dimmed at the end.
pub(crate) struct Pretty;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut timestamp = String::with_capacity(27);
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let mut line = Vec::with_capacity(256);
        self.write_object(&mut line, &timestamp, event)
            .map_err(|_| fmt::Error)?;
        writer.write_str(std::str::from_utf8(&line).map_err(|_| fmt::Error)?)?;
        writer.write_char('\n')
    }
}

impl Json {
    fn write_object(
        &self,
        line: &mut Vec<u8>,
        timestamp: &str,
        event: &Event<'_>,
    ) -> Result<(), serde_json::Error> {
        let mut json = serde_json::Serializer::new(line);
        let mut object = json.serialize_map(None)?;
        object.serialize_entry("timestamp", timestamp)?;
        object.serialize_entry("level", event.metadata().level().as_str())?;
        object.serialize_entry("service", self.service)?;
        object.serialize_entry("target", &*origin(event))?;
        if let Some(span) = context::current() {
            object.serialize_entry("trace_id", &format_args!("{}", span.trace_id()))?;
            object.serialize_entry("span_id", &format_args!("{}", span.span_id()))?;
        }
        JsonFields::write(&mut object, event)?;
        object.end()
    }
}

impl<S, N> FormatEvent<S, N> for Pretty
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        log: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let paint = Paint {
            on: writer.has_ansi_escapes(),
        };
        write!(writer, "{}", paint.dim_start())?;
        SystemTime.format_time(&mut writer)?;
        let level = *event.metadata().level();
        write!(
            writer,
            "{} {} {}: ",
            paint.end(),
            paint.level(level),
            origin(event)
        )?;
        log.format_fields(writer.by_ref(), event)?;
        if let Some(span) = context::current() {
            write_ids(&mut writer, &paint, &span)?;
        }
        writeln!(writer)
    }
}

fn write_ids(writer: &mut Writer<'_>, paint: &Paint, span: &SpanContext) -> fmt::Result {
    write!(
        writer,
        "{} trace_id={} span_id={}{}",
        paint.dim_start(),
        span.trace_id(),
        span.span_id(),
        paint.end()
    )
}

/// ANSI colours, or nothing when the writer has none.
struct Paint {
    on: bool,
}

impl Paint {
    fn dim_start(&self) -> &'static str {
        if self.on { "\x1b[2m" } else { "" }
    }

    fn end(&self) -> &'static str {
        if self.on { "\x1b[0m" } else { "" }
    }

    fn level(&self, level: Level) -> &'static str {
        match (self.on, level) {
            (true, Level::ERROR) => "\x1b[31mERROR\x1b[0m",
            (true, Level::WARN) => "\x1b[33m WARN\x1b[0m",
            (true, Level::INFO) => "\x1b[32m INFO\x1b[0m",
            (true, Level::DEBUG) => "\x1b[34mDEBUG\x1b[0m",
            (true, Level::TRACE) => "\x1b[35mTRACE\x1b[0m",
            (false, Level::ERROR) => "ERROR",
            (false, Level::WARN) => " WARN",
            (false, Level::INFO) => " INFO",
            (false, Level::DEBUG) => "DEBUG",
            (false, Level::TRACE) => "TRACE",
        }
    }
}
