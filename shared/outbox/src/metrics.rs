//! What an operator sees of the relay.

use lyceum_telemetry::metrics::{Counter, Gauge, KeyValue, meter};
use time::OffsetDateTime;

use crate::peer::Destination;
use crate::store::Backlog;

#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    pending: Gauge<u64>,
    oldest_age: Gauge<f64>,
    delivered: Counter<u64>,
    failures: Counter<u64>,
    dead: Counter<u64>,
    peer: KeyValue,
}

impl Metrics {
    /// Of the relay to one peer, which each figure names.
    pub(crate) fn new(destination: Destination) -> Self {
        let meter = meter();
        Self {
            pending: meter
                .u64_gauge("lyceum.outbox.pending")
                .with_unit("{event}")
                .with_description("Events that wait to be told.")
                .build(),
            oldest_age: meter
                .f64_gauge("lyceum.outbox.oldest_age")
                .with_unit("s")
                .with_description("Age of the oldest event that waits; 0 when none does.")
                .build(),
            delivered: meter
                .u64_counter("lyceum.outbox.delivered")
                .with_unit("{event}")
                .with_description("Events a peer has taken.")
                .build(),
            failures: meter
                .u64_counter("lyceum.outbox.failures")
                .with_unit("{batch}")
                .with_description("Batches that could not be delivered, by reason.")
                .build(),
            dead: meter
                .u64_counter("lyceum.outbox.dead")
                .with_unit("{event}")
                .with_description("Events moved to the table outbox_dead.")
                .build(),
            peer: KeyValue::new("peer", destination.as_str()),
        }
    }

    pub(crate) fn backlog(&self, backlog: &Backlog, now: OffsetDateTime) {
        let age = backlog
            .oldest
            .map_or(0.0, |oldest| (now - oldest).as_seconds_f64());
        let peer = std::slice::from_ref(&self.peer);
        self.pending.record(backlog.pending.unsigned_abs(), peer);
        self.oldest_age.record(age.max(0.0), peer);
    }

    pub(crate) fn delivered(&self, events: usize) {
        let peer = std::slice::from_ref(&self.peer);
        self.delivered.add(events as u64, peer);
    }

    pub(crate) fn failed(&self, reason: &'static str) {
        let attributes = [KeyValue::new("reason", reason), self.peer.clone()];
        self.failures.add(1, &attributes);
    }

    pub(crate) fn dead(&self) {
        self.dead.add(1, std::slice::from_ref(&self.peer));
    }
}
