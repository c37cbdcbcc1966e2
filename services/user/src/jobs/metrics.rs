//! What an operator sees of jobs.

use std::time::Duration;

use lyceum_contracts::job::{JobKind, JobStatus};
use lyceum_telemetry::metrics::{Counter, Gauge, Histogram, KeyValue, meter};

#[derive(Debug, Clone)]
pub(super) struct Metrics {
    unfinished: Gauge<u64>,
    finished: Counter<u64>,
    step: Histogram<f64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let meter = meter();
        Self {
            unfinished: meter
                .u64_gauge("lyceum.jobs.unfinished")
                .with_unit("{job}")
                .with_description("Jobs that wait or are worked on.")
                .build(),
            finished: meter
                .u64_counter("lyceum.jobs.finished")
                .with_unit("{job}")
                .with_description("Jobs this process has ended, by kind and status.")
                .build(),
            step: meter
                .f64_histogram("lyceum.jobs.step.duration")
                .with_unit("s")
                .with_description("Duration of the steps of jobs, by kind.")
                .build(),
        }
    }

    pub(super) fn unfinished(&self, jobs: u64) {
        self.unfinished.record(jobs, &[]);
    }

    pub(super) fn finished(&self, kind: JobKind, status: JobStatus) {
        let labels = [
            KeyValue::new("kind", kind.as_str()),
            KeyValue::new("status", status.as_str()),
        ];
        self.finished.add(1, &labels);
    }

    pub(super) fn step(&self, kind: JobKind, took: Duration) {
        let labels = [KeyValue::new("kind", kind.as_str())];
        self.step.record(took.as_secs_f64(), &labels);
    }
}
