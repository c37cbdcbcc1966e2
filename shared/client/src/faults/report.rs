//! What `/debug/faults` says of one upstream.

use std::time::Duration;

use lyceum_resilience::deadline::Instant;
use lyceum_resilience::faults::{Active, Faults};
use serde::Serialize;

use super::Instead;

/// One line of `/debug/faults`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaultReport {
    /// The service called.
    pub upstream: &'static str,
    /// The fault under way, if there is one.
    pub fault: Option<ActiveFault>,
    /// Attempts hit since the start, by this fault and those before.
    pub injected: u64,
}

/// A fault under way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActiveFault {
    /// Share of the attempts that are hit.
    pub ratio: f64,
    /// Wait before the attempt, in milliseconds.
    pub latency_ms: u64,
    /// Status answered instead of asking the peer.
    pub status: Option<u16>,
    /// Whether the connection breaks instead of asking the peer.
    pub reset: bool,
    /// Hits that are left, when they are counted.
    pub remaining: Option<u32>,
    /// Milliseconds that are left, when it ends by itself.
    pub ends_in_ms: Option<u64>,
    /// What decides which attempts are hit: asked for again, it hits the same.
    pub seed: u64,
}

impl ActiveFault {
    /// What goes wrong on purpose, in words.
    pub(crate) fn describe(&self) -> String {
        let latency = (self.latency_ms != 0).then(|| format!("{} ms late", self.latency_ms));
        let status = self.status.map(|status| format!("answered {status}"));
        let reset = self.reset.then(|| "reset".to_owned());
        let how: Vec<_> = [latency, status, reset].into_iter().flatten().collect();
        let percent = self.ratio * 100.0;
        format!("{percent} % of attempts on purpose {}", how.join(" and "))
    }
}

impl FaultReport {
    pub(super) fn of(upstream: &'static str, faults: &Faults<Instead>, now: Instant) -> Self {
        Self {
            upstream,
            fault: faults.active(now).map(ActiveFault::from),
            injected: faults.injected(),
        }
    }
}

impl From<Active<Instead>> for ActiveFault {
    fn from(active: Active<Instead>) -> Self {
        let plan = active.fault.plan();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            ratio: plan.ratio,
            latency_ms: millis(plan.delay),
            status: match plan.instead {
                Some(Instead::Status(status)) => Some(status.as_u16()),
                Some(Instead::Reset) | None => None,
            },
            reset: plan.instead == Some(Instead::Reset),
            remaining: active.remaining,
            ends_in_ms: active.ends_in.map(millis),
            seed: plan.seed,
        }
    }
}
