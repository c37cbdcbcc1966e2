//! Reads the caller's span and baggage from request headers.
//! An invalid `traceparent`, or more than one, starts a new trace and takes `tracestate` with it
//! (W3C Trace Context, section 4.3). Baggage does not depend on it.

use actix_web::http::header::HeaderMap;
use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::BaggagePropagator;
use tracing::dispatcher::{self, Dispatch};

use crate::context;

/// Where the request comes from, or `None` when its headers name neither a span nor baggage.
pub(super) fn caller(headers: &HeaderMap) -> Option<Context> {
    let parent = parent(headers);
    let Some(baggage) = joined(headers, "baggage") else {
        return parent;
    };
    let caller = parent.unwrap_or_default();
    // The propagator logs a header it cannot read, with its text; what a client wrote stays out of our logs.
    Some(dispatcher::with_default(&Dispatch::none(), || {
        BaggagePropagator::new().extract_with_context(&caller, &Baggage(&baggage))
    }))
}

fn parent(headers: &HeaderMap) -> Option<Context> {
    let mut values = headers.get_all("traceparent");
    let only = values.next()?;
    if values.next().is_some() {
        return None;
    }
    let mut span = context::parse(only.to_str().ok()?.trim())?;
    if let Some(state) = joined(headers, "tracestate") {
        span = context::with_state(&span, &state);
    }
    Some(Context::new().with_remote_span_context(span))
}

/// A list header that may be split over several lines, as one.
fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines: Vec<&str> = headers
        .get_all(name)
        .filter_map(|line| line.to_str().ok())
        .collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

struct Baggage<'a>(&'a str);

impl Extractor for Baggage<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == "baggage").then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec!["baggage"]
    }
}
