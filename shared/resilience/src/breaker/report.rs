//! What a breaker says of itself: to callers, to its listener, to operators.

use std::time::Duration;

use serde::Serialize;

/// Where a breaker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Calls pass.
    Closed,
    /// A few probes pass.
    HalfOpen,
    /// Nothing passes.
    Open,
}

/// Who decides: the breaker, or an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Mode {
    /// The breaker decides.
    Automatic = 0,
    /// Nothing passes: the peer is taken out of service by hand.
    ForcedOpen = 1,
    /// Everything passes and nothing is counted.
    ForcedClosed = 2,
    /// Everything passes, while state, events and counts show what the breaker would have done.
    Shadow = 3,
}

/// The call does not pass; the peer is not to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the circuit is open for another {} ms", retry_after.as_millis())]
pub struct Refused {
    /// When a probe may pass: while open at the earliest, while half-open at the latest, for a
    /// probe under way that ends sooner makes room sooner.
    pub retry_after: Duration,
}

/// A change of state, told to the listener once, by the thread that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Before.
    pub from: State,
    /// After.
    pub to: State,
    /// How long it stays open; zero unless `to` is open.
    pub open_for: Duration,
}

/// What an operator sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Where it is; an open breaker whose time is up is half-open with the next call.
    pub state: State,
    /// Who decides.
    pub mode: Mode,
    /// Failures in a row, while closed.
    pub consecutive_failures: u8,
    /// Calls in the window.
    pub window_calls: u64,
    /// Failures among them.
    pub window_failures: u64,
    /// Milliseconds until a probe may pass; zero unless open.
    pub retry_after_ms: u64,
}
