//! What an operator sees of broadcasts.

use lyceum_contracts::job::JobStatus;
use lyceum_telemetry::metrics::{Counter, Gauge, KeyValue, meter};

#[derive(Debug, Clone)]
pub(super) struct Metrics {
    unfinished: Gauge<u64>,
    finished: Counter<u64>,
    told: Counter<u64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let meter = meter();
        Self {
            unfinished: meter
                .u64_gauge("lyceum.broadcasts.unfinished")
                .with_unit("{broadcast}")
                .with_description("Broadcasts that wait or are worked on.")
                .build(),
            finished: meter
                .u64_counter("lyceum.broadcasts.finished")
                .with_unit("{broadcast}")
                .with_description("Broadcasts this process has ended, by status.")
                .build(),
            told: meter
                .u64_counter("lyceum.broadcasts.told")
                .with_unit("{person}")
                .with_description("People this process has told a broadcast.")
                .build(),
        }
    }

    pub(super) fn unfinished(&self, broadcasts: u64) {
        self.unfinished.record(broadcasts, &[]);
    }

    pub(super) fn finished(&self, status: JobStatus) {
        let status = KeyValue::new("status", status.as_str());
        self.finished.add(1, &[status]);
    }

    pub(super) fn told(&self, people: usize) {
        self.told.add(people as u64, &[]);
    }
}
