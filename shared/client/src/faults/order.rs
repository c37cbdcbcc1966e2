//! A fault as people ask for it, in the settings and of a running service, and what cannot be.

use std::time::Duration;

use http::StatusCode;
use lyceum_resilience::InvalidSetting;
use lyceum_resilience::faults::{self, Plan};
use serde::{Deserialize, Serialize};

use super::Instead;

/// Section `upstreams.<peer>.faults`: a fault from the start to the end of the process. Off
/// unless `latency_ms`, `status` or `reset` says what is to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultSettings {
    /// Share of the attempts that are hit, 0 to 1.
    pub ratio: f64,
    /// Wait before the attempt, in milliseconds; 0 is none.
    pub latency_ms: u64,
    /// Answer with this status, 400 to 599, instead of asking the peer; 0 asks it.
    pub status: u16,
    /// Break the connection instead of asking the peer.
    pub reset: bool,
    /// Decides which attempts are hit; 0 draws one at the start.
    pub seed: u32,
}

impl Default for FaultSettings {
    fn default() -> Self {
        Self {
            ratio: 1.0,
            latency_ms: 0,
            status: 0,
            reset: false,
            seed: 0,
        }
    }
}

impl FaultSettings {
    /// The fault of these settings; `None` is off.
    ///
    /// # Errors
    /// What cannot be, by the key below the section.
    pub(crate) fn check(&self) -> Result<Option<Fault>, Vec<InvalidSetting>> {
        let order = FaultOrder {
            ratio: self.ratio,
            latency_ms: self.latency_ms,
            status: (self.status != 0).then_some(self.status),
            reset: self.reset,
            times: None,
            for_ms: None,
            seed: (self.seed != 0).then_some(self.seed),
        };
        order.check()
    }

    /// The key that turns it on, if one does.
    pub(crate) fn turned_on_by(&self) -> Option<&'static str> {
        [
            (self.latency_ms != 0, "latency_ms"),
            (self.status != 0, "status"),
            (self.reset, "reset"),
        ]
        .into_iter()
        .find_map(|(on, key)| on.then_some(key))
    }
}

/// A fault as it is asked for; [`check`](Self::check) makes a [`Fault`] of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaultOrder {
    /// Share of the attempts that are hit, 0 to 1.
    pub ratio: f64,
    /// Wait before the attempt, in milliseconds, at most ten minutes.
    pub latency_ms: u64,
    /// Answer with this status, 400 to 599, instead of asking the peer.
    pub status: Option<u16>,
    /// Break the connection instead of asking the peer; not together with a status.
    pub reset: bool,
    /// Over after so many hits.
    pub times: Option<u32>,
    /// Over after so many milliseconds, at most ten minutes.
    pub for_ms: Option<u64>,
    /// Decides which attempts are hit; drawn when not given.
    pub seed: Option<u32>,
}

impl FaultOrder {
    /// The fault; `None` when nothing is asked to go wrong.
    ///
    /// # Errors
    /// Everything that cannot be, by the names of the fields.
    pub fn check(&self) -> Result<Option<Fault>, Vec<InvalidSetting>> {
        let mut broken = Vec::new();
        let status = self.status.map(failing).transpose().unwrap_or_else(|rule| {
            broken.push(rule);
            None
        });
        if self.status.is_some() && self.reset {
            broken.push(EXCLUSIVE);
        }
        let plan = Plan {
            ratio: self.ratio,
            delay: Duration::from_millis(self.latency_ms),
            instead: match status {
                Some(status) => Some(Instead::Status(status)),
                None => self.reset.then_some(Instead::Reset),
            },
            times: self.times,
            lasts: self.for_ms.map(Duration::from_millis),
            seed: self.seed.unwrap_or_else(|| fastrand::u32(1..)).into(),
        };
        let something = plan.instead.is_some() || !plan.delay.is_zero();
        match plan.check() {
            Ok(fault) if broken.is_empty() => Ok(something.then_some(Fault(fault))),
            Ok(_) => Err(broken),
            Err(rules) => {
                broken.extend(rules);
                Err(broken)
            }
        }
    }
}

const EXCLUSIVE: InvalidSetting = InvalidSetting {
    key: "reset",
    rule: "be false when `status` is given",
};

fn failing(status: u16) -> Result<StatusCode, InvalidSetting> {
    let status = StatusCode::from_u16(status).ok();
    let failing = status.filter(|status| status.is_client_error() || status.is_server_error());
    failing.ok_or(InvalidSetting {
        key: "status",
        rule: "be between 400 and 599",
    })
}

/// A fault that can be injected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault(pub(super) faults::Fault<Instead>);
