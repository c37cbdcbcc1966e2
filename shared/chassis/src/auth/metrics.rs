//! What an operator sees of the tokens people come with.

use std::sync::Mutex;
use std::sync::{Arc, PoisonError};

use lyceum_telemetry::metrics::{Counter, Gauge, KeyValue, ObservableGauge, meter};
use tokio::time::Instant;

/// The figures of the list of revocations.
#[derive(Debug)]
pub(super) struct Metrics {
    size: Gauge<u64>,
    complete_at: Arc<Mutex<Instant>>,
    _lag: ObservableGauge<f64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let complete_at = Arc::new(Mutex::new(Instant::now()));
        let observed = Arc::downgrade(&complete_at);
        let lag = move || {
            let complete_at = observed.upgrade()?;
            let complete_at = *complete_at.lock().unwrap_or_else(PoisonError::into_inner);
            Some(complete_at.elapsed().as_secs_f64())
        };
        Self {
            size: meter()
                .u64_gauge("lyceum.auth.revocations")
                .with_unit("{revocation}")
                .with_description(
                    "Sessions and accounts whose access tokens are refused before they end.",
                )
                .build(),
            complete_at,
            _lag: meter()
                .f64_observable_gauge("lyceum.auth.revocations.lag")
                .with_unit("s")
                .with_description(
                    "Time since the list of revocations was last known to be complete.",
                )
                .with_callback(move |gauge| {
                    if let Some(lag) = lag() {
                        gauge.observe(lag, &[]);
                    }
                })
                .build(),
        }
    }

    pub(super) fn size(&self, size: usize) {
        self.size.record(size as u64, &[]);
    }

    /// Everything decided until now is known.
    pub(super) fn complete(&self) {
        *self
            .complete_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// How often a signature was spared.
#[derive(Debug, Clone)]
pub(super) struct Lookups {
    count: Counter<u64>,
    hit: [KeyValue; 1],
    miss: [KeyValue; 1],
}

impl Lookups {
    pub(super) fn new() -> Self {
        Self {
            count: meter()
                .u64_counter("lyceum.auth.verified_tokens")
                .with_unit("{token}")
                .with_description("Access tokens that were verified, or known from before.")
                .build(),
            hit: [KeyValue::new("result", "hit")],
            miss: [KeyValue::new("result", "miss")],
        }
    }

    /// Known from before.
    pub(super) fn hit(&self) {
        self.count.add(1, &self.hit);
    }

    /// Verified by its signature.
    pub(super) fn miss(&self) {
        self.count.add(1, &self.miss);
    }
}
