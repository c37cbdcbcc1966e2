//! Faults on purpose: the last thing between the policies and the wire.
//!
//! An attempt that is hit is an attempt like any other to all around it: it has its CLIENT span,
//! its timeout, its verdict for the breaker and its price. Only the attribute `lyceum.fault` of
//! the span, a counter and the log say that it was done on purpose. [`Upstream`](crate::Upstream)
//! takes a fault and takes it away; it ends by itself when it says so. One of the settings is
//! there until the process ends or somebody takes it away. Nothing here knows production: whoever
//! reads settings or answers requests refuses it there.

mod order;
mod report;

use http::StatusCode;
use lyceum_resilience::deadline::Instant;
use lyceum_resilience::faults::{Decision, End, Faults, Injection};

pub use self::order::{Fault, FaultOrder, FaultSettings};
pub use self::report::{ActiveFault, FaultReport};
use crate::events::metrics;

/// The longest a fault lasts that is to end by itself, in milliseconds.
pub const LONGEST_MS: u64 = lyceum_resilience::faults::LONGEST_MS;

/// Whether a process may be told to fail on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultInjection {
    /// Where people develop and try.
    Allowed,
    /// Where people depend on it.
    Refused,
}

/// What comes of an attempt instead of the peer's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instead {
    /// An answer with this status and nothing else.
    Status(StatusCode),
    /// A connection that broke after the request had left.
    Reset,
}

/// The faults of one upstream.
#[derive(Debug)]
pub(crate) struct Injector {
    upstream: &'static str,
    faults: Faults<Instead>,
    counter: metrics::Injections,
}

impl Injector {
    /// Starts with the fault of the settings, if there is one.
    pub(crate) fn new(upstream: &'static str, fault: Option<Fault>) -> Self {
        let injector = Self {
            upstream,
            faults: Faults::default(),
            counter: metrics::Injections::new(upstream),
        };
        if let Some(fault) = fault {
            injector.inject(fault);
        }
        injector
    }

    /// What befalls the next attempt. Without a fault it costs one atomic load.
    pub(crate) fn next(&self) -> Option<Injection<Instead>> {
        if !self.faults.is_set() {
            return None;
        }
        let Decision { injection, end } = self.faults.decide(Instant::now());
        if let Some(injection) = &injection {
            self.counter.count(word(injection.instead));
        }
        self.log_end(end);
        injection
    }

    /// Sets a fault, in the place of the one before.
    ///
    /// Told before it is in force: it may be over by the time anybody could tell.
    pub(crate) fn inject(&self, fault: Fault) -> FaultReport {
        let now = Instant::now();
        let set = ActiveFault::from(fault.0.begun());
        tracing::warn!(
            event = "fault.set",
            upstream = self.upstream,
            fault = word(fault.0.plan().instead),
            ratio = set.ratio,
            latency_ms = set.latency_ms,
            status = set.status,
            times = set.remaining,
            ends_in_ms = set.ends_in_ms,
            seed = set.seed,
            "attempts at this peer fail on purpose"
        );
        let injected = self.faults.injected();
        self.log_end(self.faults.set(fault.0, now));
        FaultReport {
            upstream: self.upstream,
            fault: Some(set),
            injected,
        }
    }

    /// Takes the fault away, if there is one.
    pub(crate) fn heal(&self) {
        self.log_end(self.faults.clear(Instant::now()));
    }

    pub(crate) fn report(&self) -> FaultReport {
        let now = Instant::now();
        self.log_end(self.faults.expire(now));
        FaultReport::of(self.upstream, &self.faults, now)
    }

    fn log_end(&self, end: Option<End>) {
        let reason = match end {
            None => return,
            Some(End::Times) => "times",
            Some(End::Expired) => "expired",
            Some(End::Removed) => "removed",
            Some(End::Replaced) => "replaced",
        };
        tracing::info!(
            event = "fault.ended",
            upstream = self.upstream,
            reason,
            "a fault set on purpose is over"
        );
    }
}

/// What befell an attempt, for its span and the counter: what decided how it ended.
pub(crate) const fn word(instead: Option<Instead>) -> &'static str {
    match instead {
        Some(Instead::Status(_)) => "status",
        Some(Instead::Reset) => "reset",
        None => "latency",
    }
}
