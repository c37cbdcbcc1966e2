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

/// Awaits `work`, which sends `sql` to `target`.
pub(super) async fn observe<T>(
    target: &Target,
    sql: &str,
    work: impl Future<Output = Result<T, DbErr>> + Send,
) -> Result<T, DbErr> {
    let summary = Summary::of(sql);
    let started = Instant::now();
    let (span, outcome) = if context::is_recording() {
        let span = statement_span(target, &summary, sql);
        let outcome = work.instrument(span.clone()).await;
        (span, outcome)
    } else {
        (Span::none(), work.await)
    };
    let failure = outcome.as_ref().err().map(Failure::of);
    if let Some(failure) = &failure {
        failure.record(&span);
    }
    record_duration(target, &summary, failure, started);
    outcome
}

fn statement_span(target: &Target, summary: &Summary<'_>, sql: &str) -> Span {
    let name = summary.name();
    let span = tracing::info_span!(
        "db.client",
        otel.name = name,
        otel.kind = "client",
        db.system.name = target.system,
        db.operation.name = summary.operation,
        db.query.summary = name,
        db.query.text = without_values(sql),
    );
    if let Some(namespace) = &target.namespace {
        span.set_attribute("db.namespace", namespace.clone());
    }
    if let Some(collection) = summary.collection {
        span.set_attribute("db.collection.name", collection.to_owned());
    }
    if let Some((address, port)) = &target.server {
        span.set_attribute("server.address", address.clone());
        span.set_attribute("server.port", i64::from(*port));
    }
    span
}

fn record_duration(
    target: &Target,
    summary: &Summary<'_>,
    failure: Option<Failure>,
    started: Instant,
) {
    let Some(instruments) = instruments() else {
        return;
    };
    let mut labels = Vec::with_capacity(8);
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
    if let Some(failure) = failure {
        labels.push(KeyValue::new("error.type", failure.kind));
        labels.extend(
            failure
                .code
                .map(|code| KeyValue::new("db.response.status_code", code)),
        );
    }
    instruments
        .database_duration
        .record(started.elapsed().as_secs_f64(), &labels);
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
