//! Runs one statement inside its span and records how it went.

use opentelemetry::{KeyValue, trace::Status};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use std::{
    borrow::Cow,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    time::Instant,
};
use tracing::{
    Instrument, Span,
    dispatcher::{self, Dispatch},
};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{
    known::{Described, Known},
    target::Target,
};
use crate::{context, metrics::instruments};

/// A statement about to be sent.
pub(super) struct Observation {
    span: Span,
    statement: Arc<Described>,
    started: Instant,
}

impl Observation {
    /// The span opens only inside a trace that is recorded.
    pub(super) fn start(known: &Known, sql: &str) -> Self {
        let statement = known.describe(sql);
        let span = if context::is_recording() {
            statement_span(&known.target, &statement)
        } else {
            Span::none()
        };
        Self {
            span,
            statement,
            started: Instant::now(),
        }
    }

    /// Awaits `work`, which sends the statement. Dropped before its end, it was cancelled: that is no error,
    /// and a time without an end is not recorded.
    pub(super) async fn of<T>(
        self,
        work: impl Future<Output = Result<T, DbErr>> + Send,
    ) -> Result<T, DbErr> {
        let outcome = begun_in_no_span(work).instrument(self.span.clone()).await;
        let failure = outcome.as_ref().err().map(Failure::of);
        if let Some(failure) = &failure {
            failure.record(&self.span);
        }
        if let Some(instruments) = instruments() {
            let duration = &instruments.database_duration;
            let seconds = self.started.elapsed().as_secs_f64();
            match failure {
                None => self.statement.succeeded(duration).record(seconds),
                Some(failure) => duration.record(seconds, &failure.labels(&self.statement)),
            }
        }
        outcome
    }
}

/// Awaits `work`, which sees no span until it waits for the first time.
///
/// The streams of rows of sqlx take the span they are made in, and enter and leave it twice for each row: a fifth of
/// what a list of a hundred rows costs. They are made before the first wait.
async fn begun_in_no_span<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut begun = false;
    poll_fn(|context| {
        if begun {
            return work.as_mut().poll(context);
        }
        begun = true;
        dispatcher::with_default(&Dispatch::none(), || work.as_mut().poll(context))
    })
    .await
}

fn statement_span(target: &Target, statement: &Described) -> Span {
    let server = target.server.as_ref();
    tracing::info_span!(
        "db.client",
        otel.name = statement.name,
        otel.kind = "client",
        db.query.summary = statement.name,
        db.query.text = statement.text,
        db.system.name = target.system,
        db.operation.name = statement.operation,
        db.collection.name = statement.collection,
        db.namespace = target.namespace,
        server.address = server.map(|(address, _)| address.as_str()),
        server.port = server.map(|(_, port)| i64::from(*port)),
    )
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

    /// Labels of the metric.
    fn labels(self, statement: &Described) -> Vec<KeyValue> {
        let mut labels = statement.labels.clone();
        labels.push(KeyValue::new("error.type", self.kind));
        let code = self
            .code
            .map(|code| KeyValue::new("db.response.status_code", code));
        labels.extend(code);
        labels
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
