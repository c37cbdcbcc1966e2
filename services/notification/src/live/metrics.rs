//! What an operator sees of the streams, by transport.

use lyceum_telemetry::metrics::{Counter, KeyValue, UpDownCounter, meter};

/// How a stream reaches its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// Server-Sent Events.
    Sse,
    /// WebSocket.
    Socket,
}

/// The instruments of all streams of a process.
#[derive(Debug)]
pub(super) struct Metrics {
    open: UpDownCounter<i64>,
    delivered: Counter<u64>,
    ended: Counter<u64>,
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
        let reason = KeyValue::new("lyceum.live.reason", reason);
        self.ended.add(1, &[label(transport), reason]);
    }
}

fn label(transport: Transport) -> KeyValue {
    let name = match transport {
        Transport::Sse => "sse",
        Transport::Socket => "websocket",
    };
    KeyValue::new("lyceum.live.transport", name)
}
