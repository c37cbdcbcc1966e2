//! What an operator sees of the policies: instruments on the global meter.
//!
//! Gauges are read when metrics are collected; nothing is updated per call for them. Telemetry is
//! set up before the first client is built, otherwise these instruments record nothing.

use std::sync::Weak;

use lyceum_resilience::breaker::State;
use lyceum_resilience::deadline::Instant;
use opentelemetry::metrics::{Counter, Meter};
use opentelemetry::{KeyValue, global};

use super::Event;
use crate::upstream::Inner;

fn meter() -> Meter {
    global::meter("lyceum.client")
}

fn counter(name: &'static str, description: &'static str) -> Counter<u64> {
    let meter = meter();
    let counter = meter.u64_counter(name).with_description(description);
    counter.build()
}

/// Counters of one upstream.
#[derive(Debug)]
pub(super) struct Counters {
    upstream: &'static str,
    retries: Counter<u64>,
    refusals: Counter<u64>,
    transitions: Counter<u64>,
    lookups: Counter<u64>,
    hedges: Counter<u64>,
    ejections: Counter<u64>,
}

impl Counters {
    pub(super) fn new(upstream: &'static str) -> Self {
        Self {
            upstream,
            retries: counter(
                "lyceum.client.retries",
                "Attempts after the first, by what went wrong before",
            ),
            refusals: counter(
                "lyceum.client.refusals",
                "Calls and repeats refused by a local policy, without being sent",
            ),
            transitions: counter(
                "lyceum.client.breaker.transitions",
                "Changes of state, by the state they lead to",
            ),
            lookups: counter(
                "lyceum.client.cache",
                "Reads that may be answered from the cache, by how they were",
            ),
            hedges: counter(
                "lyceum.client.hedges",
                "Calls asked twice because the first answer was late, by which was of use",
            ),
            ejections: counter(
                "lyceum.client.ejections",
                "Endpoints left out because they failed far more often than their peers",
            ),
        }
    }

    pub(super) fn count(&self, event: &Event) {
        let upstream = KeyValue::new("upstream", self.upstream);
        match event {
            Event::Repeated { reason, .. } => {
                self.retries
                    .add(1, &[upstream, KeyValue::new("reason", *reason)]);
            }
            Event::Refused { reason } => {
                self.refusals
                    .add(1, &[upstream, KeyValue::new("reason", *reason)]);
            }
            Event::Cache { lookup } => {
                self.lookups
                    .add(1, &[upstream, KeyValue::new("outcome", lookup.word())]);
            }
            Event::Hedged { second_won } => {
                let winner = if *second_won { "second" } else { "first" };
                self.hedges
                    .add(1, &[upstream, KeyValue::new("winner", winner)]);
            }
            Event::Ejected { endpoint, .. } => {
                let endpoint = KeyValue::new("endpoint", endpoint.to_string());
                self.ejections.add(1, &[upstream, endpoint]);
            }
            Event::Endpoints { .. } => {}
            Event::Breaker {
                endpoint,
                transition,
            } => {
                let to = match transition.to {
                    State::Closed => "closed",
                    State::HalfOpen => "half_open",
                    State::Open => "open",
                };
                let endpoint = KeyValue::new("endpoint", endpoint.to_string());
                self.transitions
                    .add(1, &[upstream, endpoint, KeyValue::new("to", to)]);
            }
        }
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
        let counter = counter(
            "lyceum.client.faults",
            "Attempts hit by a fault set on purpose, by what befell them",
        );
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

/// Registers the gauges of an upstream. They fall silent when the upstream is dropped.
pub(crate) fn observe(upstream: &Weak<Inner>) {
    gauge(
        upstream,
        "lyceum.client.retry_budget.balance",
        "Repeats that could be granted now",
        |inner| inner.pipeline.load().budget.balance(Instant::now()),
    );
    gauge(
        upstream,
        "lyceum.client.bulkhead.in_flight",
        "Attempts under way",
        |inner| inner.pipeline.load().bulkhead.in_flight() as u64,
    );
    gauge(
        upstream,
        "lyceum.client.bulkhead.queued",
        "Attempts waiting for a slot",
        |inner| inner.pipeline.load().bulkhead.queued() as u64,
    );
    gauge(
        upstream,
        "lyceum.client.bulkhead.limit",
        "Attempts that may be under way at once",
        |inner| inner.pipeline.load().bulkhead.limit() as u64,
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
            let Some(inner) = observed.upgrade() else {
                return;
            };
            for endpoint in &inner.pipeline.load().endpoints {
                let state = match endpoint.breaker.state() {
                    State::Closed => 0,
                    State::HalfOpen => 1,
                    State::Open => 2,
                };
                let name = KeyValue::new("endpoint", endpoint.name.to_string());
                gauge.observe(state, &[KeyValue::new("upstream", inner.name), name]);
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
