//! What an operator sees of the streams, by transport.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lyceum_contracts::live::{Cut, Transport};
use lyceum_telemetry::metrics::{Counter, KeyValue, UpDownCounter, meter};

/// The instruments of all streams of a process.
#[derive(Debug)]
pub(super) struct Metrics {
    open: UpDownCounter<i64>,
    delivered: Counter<u64>,
    ended: Counter<u64>,
    /// The same since the process started, for whoever asks it.
    cuts: Mutex<BTreeMap<(Transport, &'static str), u64>>,
}

impl Metrics {
    /// Make it after telemetry has been set up.
    pub(super) fn new() -> Self {
        Self {
            open: meter()
                .i64_up_down_counter("lyceum.live.streams")
                .with_unit("{stream}")
                .with_description("Live streams that are open.")
                .build(),
            delivered: meter()
                .u64_counter("lyceum.live.delivered")
                .with_unit("{notification}")
                .with_description("Notifications, and changes of them, handed to live streams.")
                .build(),
            ended: meter()
                .u64_counter("lyceum.live.ended")
                .with_unit("{stream}")
                .with_description("Live streams that the server ended, by reason.")
                .build(),
            cuts: Mutex::default(),
        }
    }

    pub(super) fn opened(&self, transport: Transport) {
        self.open.add(1, &[label(transport)]);
    }

    pub(super) fn closed(&self, transport: Transport) {
        self.open.add(-1, &[label(transport)]);
    }

    pub(super) fn delivered(&self, transport: Transport) {
        self.delivered.add(1, &[label(transport)]);
    }

    /// `reason` is one of a closed set.
    pub(super) fn ended(&self, transport: Transport, reason: &'static str) {
        *self.counts().entry((transport, reason)).or_default() += 1;
        let reason = KeyValue::new("lyceum.live.reason", reason);
        self.ended.add(1, &[label(transport), reason]);
    }

    /// How often streams were ended for which reason.
    pub(super) fn cuts(&self) -> Vec<Cut> {
        let cut = |(&(transport, reason), &count): (&(Transport, &str), &u64)| Cut {
            transport,
            reason: reason.to_owned(),
            count,
        };
        self.counts().iter().map(cut).collect()
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<(Transport, &'static str), u64>> {
        self.cuts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn label(transport: Transport) -> KeyValue {
    KeyValue::new("lyceum.live.transport", transport.as_str())
}
