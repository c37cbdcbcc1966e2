//! Runs one statement inside its span and records how it went.

use opentelemetry::{KeyValue, trace::Status};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use std::{borrow::Cow, future::Future, time::Instant};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{
    statement::{Summary, without_values},
    target::Target,
};
use crate::{context, metrics::instruments};

/// A statement about to be sent.
pub(super) struct Observation {
    span: Span,
    labels: Vec<KeyValue>,
    started: Instant,
}

impl Observation {
    /// Reads what `sql` is; the span opens only inside a trace that is recorded.
    pub(super) fn start(target: &Target, sql: &str) -> Self {
        let summary = Summary::of(sql);
        let span = if context::is_recording() {
            statement_span(target, &summary, sql)
        } else {
            Span::none()
        };
        Self {
            span,
            labels: labels(target, &summary),
            started: Instant::now(),
        }
    }

    /// Awaits `work`, which sends the statement. Dropped before its end, it was cancelled: that is no error,
    /// and a time without an end is not recorded.
    pub(super) async fn of<T>(
        mut self,
        work: impl Future<Output = Result<T, DbErr>> + Send,
    ) -> Result<T, DbErr> {
        let outcome = work.instrument(self.span.clone()).await;
        if let Err(error) = &outcome {
            let failure = Failure::of(error);
            failure.record(&self.span);
            self.labels.push(KeyValue::new("error.type", failure.kind));
            self.labels.extend(
                failure
                    .code
                    .map(|code| KeyValue::new("db.response.status_code", code)),
            );
        }
        if let Some(instruments) = instruments() {
            instruments
                .database_duration
                .record(self.started.elapsed().as_secs_f64(), &self.labels);
        }
        outcome
    }
}

fn statement_span(target: &Target, summary: &Summary<'_>, sql: &str) -> Span {
    let name = summary.name();
    let span = tracing::info_span!(
        "db.client",
        otel.name = name,
        otel.kind = "client",
        db.query.summary = name,
        db.query.text = without_values(sql),
    );
    for label in labels(target, summary) {
        span.set_attribute(label.key, label.value);
    }
    if let Some((address, port)) = &target.server {
        span.set_attribute("server.address", address.clone());
        span.set_attribute("server.port", i64::from(*port));
    }
    span
}

/// What the span and the metric both say.
fn labels(target: &Target, summary: &Summary<'_>) -> Vec<KeyValue> {
    let mut labels = Vec::with_capacity(6);
    labels.push(KeyValue::new("db.system.name", target.system));
    labels.push(KeyValue::new(
        "db.operation.name",
        summary.operation.to_owned(),
    ));
    labels.extend(
        summary
            .collection
            .map(|name| KeyValue::new("db.collection.name", name.to_owned())),
    );
    labels.extend(
        target
            .namespace
            .clone()
            .map(|name| KeyValue::new("db.namespace", name)),
    );
    labels
}

/// Why a statement failed, without its words: database messages repeat the values they complain about.
struct Failure {
    /// `error.type`: the database's code, or a word of ours.
    kind: Cow<'static, str>,
    /// `db.response.status_code`: SQLSTATE, or SQLite's extended result code.
    code: Option<String>,
}

impl Failure {
    fn of(error: &DbErr) -> Self {
        let code = database_code(error);
        let kind = code.clone().map_or(Cow::Borrowed(kind(error)), Cow::Owned);
        Self { kind, code }
    }

    fn record(&self, span: &Span) {
        span.set_status(Status::error(""));
        span.set_attribute("error.type", self.kind.clone());
        if let Some(code) = &self.code {
            span.set_attribute("db.response.status_code", code.clone());
        }
    }
}

fn database_code(error: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))
    | DbErr::Conn(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    Some(error.as_database_error()?.code()?.into_owned())
}

fn kind(error: &DbErr) -> &'static str {
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => "pool_timeout",
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => "pool_closed",
        DbErr::Conn(_) => "connection",
        DbErr::Exec(_) | DbErr::Query(_) => "query",
        _ => "_OTHER",
    }
}
