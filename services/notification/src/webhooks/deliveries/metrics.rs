//! What an operator sees of messages to receivers.

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
    duration: Histogram<f64>,
    disabled: Gauge<u64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let meter = meter();
        Self {
            pending: meter
                .u64_gauge("lyceum.webhooks.pending")
                .with_unit("{message}")
                .with_description("Messages to webhooks that are still to be sent.")
                .build(),
            oldest_age: meter
                .f64_gauge("lyceum.webhooks.oldest_age")
                .with_unit("s")
                .with_description(
                    "Age of the oldest message to a webhook that is still to be sent; 0 without one.",
                )
                .build(),
            attempts: meter
                .u64_counter("lyceum.webhooks.attempts")
                .with_unit("{attempt}")
                .with_description("Messages to webhooks this process has taken up, by outcome.")
                .build(),
            duration: meter
                .f64_histogram("lyceum.webhooks.send.duration")
                .with_unit("s")
                .with_description("Duration of sending a message to a webhook.")
                .build(),
            disabled: meter
                .u64_gauge("lyceum.webhooks.disabled")
                .with_unit("{webhook}")
                .with_description("Webhooks that were disabled because their receivers fail or are gone.")
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

    pub(super) fn disabled(&self, webhooks: u64) {
        self.disabled.record(webhooks, &[]);
    }

    /// An attempt at a message that had failed `failed` times before.
    pub(super) fn attempt(&self, failed: i64, outcome: &Outcome) {
        let outcome = match outcome {
            outcome if outcome.is_fatal(failed) => "dead",
            Outcome::Sent => "sent",
            Outcome::Failed(_) | Outcome::Refused(_) => "failed",
            Outcome::Unwanted(_) => "unwanted",
            Outcome::PutOff { .. } => "put_off",
        };
        self.attempts.add(1, &[KeyValue::new("outcome", outcome)]);
    }

    pub(super) fn answered_within(&self, took: Duration) {
        self.duration.record(took.as_secs_f64(), &[]);
    }
}
