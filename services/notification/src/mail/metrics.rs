//! What an operator sees of letters.

use std::time::Duration;

use lyceum_telemetry::metrics::{Counter, Gauge, Histogram, KeyValue, meter};
use time::OffsetDateTime;

use super::store::Backlog;
use crate::schedule::Outcome;

#[derive(Debug, Clone)]
pub(super) struct Metrics {
    pending: Gauge<u64>,
    oldest_age: Gauge<f64>,
    attempts: Counter<u64>,
    dead: Counter<u64>,
    duration: Histogram<f64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let meter = meter();
        Self {
            pending: meter
                .u64_gauge("lyceum.mail.pending")
                .with_unit("{letter}")
                .with_description("Letters that are still to be sent.")
                .build(),
            oldest_age: meter
                .f64_gauge("lyceum.mail.oldest_age")
                .with_unit("s")
                .with_description(
                    "Age of the oldest letter that is still to be sent; 0 without one.",
                )
                .build(),
            attempts: meter
                .u64_counter("lyceum.mail.attempts")
                .with_unit("{attempt}")
                .with_description("Letters this process has taken up, by template and outcome.")
                .build(),
            dead: meter
                .u64_counter("lyceum.mail.dead")
                .with_unit("{letter}")
                .with_description("Letters that were refused for good, or too often.")
                .build(),
            duration: meter
                .f64_histogram("lyceum.mail.send.duration")
                .with_unit("s")
                .with_description("Duration of handing a letter to the mail server.")
                .build(),
        }
    }

    pub(super) fn backlog(&self, backlog: &Backlog, now: OffsetDateTime) {
        let age = backlog
            .oldest
            .map_or(0.0, |oldest| (now - oldest).as_seconds_f64());
        self.pending.record(backlog.pending.unsigned_abs(), &[]);
        self.oldest_age.record(age.max(0.0), &[]);
    }

    /// An attempt at a letter that had failed `failed` times before.
    pub(super) fn attempt(&self, template: &'static str, failed: i64, outcome: &Outcome) {
        let template = KeyValue::new("template", template);
        if outcome.is_fatal(failed) {
            self.dead.add(1, std::slice::from_ref(&template));
        }
        let outcome = match outcome {
            Outcome::Sent => "sent",
            Outcome::Failed(_) => "failed",
            Outcome::Refused(_) => "refused",
            Outcome::Unwanted(_) => "unwanted",
            Outcome::PutOff { .. } => "put_off",
        };
        let outcome = KeyValue::new("outcome", outcome);
        self.attempts.add(1, &[template, outcome]);
    }

    pub(super) fn sent_within(&self, took: Duration) {
        self.duration.record(took.as_secs_f64(), &[]);
    }
}
