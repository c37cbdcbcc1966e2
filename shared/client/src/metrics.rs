//! What an operator sees of the policies: instruments on the global meter.
//!
//! Gauges are read when metrics are collected; nothing is updated per call for them. Telemetry is
//! set up before the first client is built, otherwise these instruments record nothing.

use std::sync::Weak;

use lyceum_resilience::breaker::State;
use lyceum_resilience::deadline::Instant;
use opentelemetry::metrics::{Counter, Meter};
use opentelemetry::{KeyValue, global};

use crate::upstream::Inner;

fn meter() -> Meter {
    global::meter("lyceum.client")
}

/// Counters of one upstream.
#[derive(Debug)]
pub(crate) struct Counters {
    upstream: &'static str,
    retries: Counter<u64>,
    refusals: Counter<u64>,
}

impl Counters {
    pub(crate) fn new(upstream: &'static str) -> Self {
        let retries = meter()
            .u64_counter("lyceum.client.retries")
            .with_description("Attempts after the first, by what went wrong before")
            .build();
        let refusals = meter()
            .u64_counter("lyceum.client.refusals")
            .with_description("Calls and repeats refused by a local policy, without being sent")
            .build();
        Self {
            upstream,
            retries,
            refusals,
        }
    }

    pub(crate) fn retried(&self, reason: &'static str) {
        self.retries.add(1, &self.labels(reason));
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        self.refusals.add(1, &self.labels(reason));
    }

    fn labels(&self, reason: &'static str) -> [KeyValue; 2] {
        [
            KeyValue::new("upstream", self.upstream),
            KeyValue::new("reason", reason),
        ]
    }
}

/// Counts the attempts at one upstream that were hit on purpose.
#[derive(Debug)]
pub(crate) struct Injections {
    upstream: &'static str,
    counter: Counter<u64>,
}

impl Injections {
    pub(crate) fn new(upstream: &'static str) -> Self {
        let counter = meter()
            .u64_counter("lyceum.client.faults")
            .with_description("Attempts hit by a fault set on purpose, by what befell them")
            .build();
        Self { upstream, counter }
    }

    pub(crate) fn count(&self, fault: &'static str) {
        let labels = [
            KeyValue::new("upstream", self.upstream),
            KeyValue::new("fault", fault),
        ];
        self.counter.add(1, &labels);
    }
}

/// Counts the changes of one breaker.
pub(crate) struct Transitions {
    counter: Counter<u64>,
    upstream: &'static str,
    endpoint: String,
}

impl Transitions {
    pub(crate) fn new(upstream: &'static str, endpoint: &str) -> Self {
        let counter = meter()
            .u64_counter("lyceum.client.breaker.transitions")
            .with_description("Changes of state, by the state they lead to")
            .build();
        Self {
            counter,
            upstream,
            endpoint: endpoint.to_owned(),
        }
    }

    pub(crate) fn count(&self, to: State) {
        let to = match to {
            State::Closed => "closed",
            State::HalfOpen => "half_open",
            State::Open => "open",
        };
        let labels = [
            KeyValue::new("upstream", self.upstream),
            KeyValue::new("endpoint", self.endpoint.clone()),
            KeyValue::new("to", to),
        ];
        self.counter.add(1, &labels);
    }
}

/// Registers the gauges of an upstream. They fall silent when the upstream is dropped.
pub(crate) fn observe(upstream: &Weak<Inner>) {
    gauge(
        upstream,
        "lyceum.client.retry_budget.balance",
        "Repeats that could be granted now",
        |inner| inner.budget.balance(Instant::now()),
    );
    gauge(
        upstream,
        "lyceum.client.bulkhead.in_flight",
        "Attempts under way",
        |inner| inner.bulkhead.in_flight() as u64,
    );
    gauge(
        upstream,
        "lyceum.client.bulkhead.queued",
        "Attempts waiting for a slot",
        |inner| inner.bulkhead.queued() as u64,
    );
    gauge(
        upstream,
        "lyceum.client.fault.active",
        "1 while attempts fail on purpose",
        |inner| u64::from(inner.injector.report().fault.is_some()),
    );
    let observed = upstream.clone();
    meter()
        .u64_observable_gauge("lyceum.client.breaker.state")
        .with_description("0 closed, 1 half-open, 2 open")
        .with_callback(move |gauge| {
            if let Some(inner) = observed.upgrade() {
                let state = match inner.endpoint.breaker.state() {
                    State::Closed => 0,
                    State::HalfOpen => 1,
                    State::Open => 2,
                };
                let endpoint = KeyValue::new("endpoint", inner.endpoint.name.to_string());
                gauge.observe(state, &[KeyValue::new("upstream", inner.name), endpoint]);
            }
        })
        .build();
}

fn gauge(
    upstream: &Weak<Inner>,
    name: &'static str,
    description: &'static str,
    read: impl Fn(&Inner) -> u64 + Send + Sync + 'static,
) {
    let observed = upstream.clone();
    meter()
        .u64_observable_gauge(name)
        .with_description(description)
        .with_callback(move |gauge| {
            if let Some(inner) = observed.upgrade() {
                gauge.observe(read(&inner), &[KeyValue::new("upstream", inner.name)]);
            }
        })
        .build();
}
