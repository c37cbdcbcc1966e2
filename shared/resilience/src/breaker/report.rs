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

impl Mode {
    /// The mode stored as its number.
    pub(super) const fn of(number: u8) -> Self {
        match number {
            1 => Self::ForcedOpen,
            2 => Self::ForcedClosed,
            3 => Self::Shadow,
            _ => Self::Automatic,
        }
    }

    /// Its name in logs, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
            Self::Shadow => "shadow",
        }
    }
}

/// Why a breaker changed its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Opened: so many calls in a row failed.
    ConsecutiveFailures,
    /// Opened: the share of failed calls is reached.
    FailureShare,
    /// Opened: the share of slow calls is reached.
    SlowShare,
    /// Opened again: a probe failed, was slow or was asked to wait.
    FailedProbe,
    /// Half-opened: it was open for long enough.
    TimeUp,
    /// Closed: all probes succeeded.
    ProbesPassed,
}

impl Cause {
    /// Its name in logs and labels, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConsecutiveFailures => "consecutive_failures",
            Self::FailureShare => "failure_share",
            Self::SlowShare => "slow_share",
            Self::FailedProbe => "failed_probe",
            Self::TimeUp => "time_up",
            Self::ProbesPassed => "probes_passed",
        }
    }
}

/// The call does not pass; the peer is not to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the circuit is not closed; try again in {} ms", retry_after.as_millis())]
pub struct Refused {
    /// When a call may pass: while open at the earliest, while half-open at the latest, for a
    /// probe under way that ends sooner makes room sooner. A tenth of a second while a breaker
    /// that has just closed ramps up.
    pub retry_after: Duration,
}

/// A change of state, told to the listener once, by the thread that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Before.
    pub from: State,
    /// After.
    pub to: State,
    /// Why.
    pub cause: Cause,
    /// How long it stays open; zero unless `to` is open.
    pub open_for: Duration,
    /// Who decides: in shadow mode calls pass whatever the state.
    pub mode: Mode,
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
    /// Slow ones among them, failed or not.
    pub window_slow: u64,
    /// Milliseconds until a probe may pass; zero unless open.
    pub retry_after_ms: u64,
    /// Percent of calls that pass while it ramps up after closing; none when all do.
    pub ramping_percent: Option<u8>,
}
