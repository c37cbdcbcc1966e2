//! What callers are told of a limit (draft-ietf-httpapi-ratelimit-headers-09).
//!
//! `RateLimit-Policy: "login";q=30;w=60` is the rule, `RateLimit: "login";r=0;t=2` where the caller
//! stands: `r` more at once, and one more within `t` seconds.

use std::fmt;
use std::time::Duration;

use actix_web::http::header::{HeaderName, HeaderValue};

use super::Policy;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");

/// Where somebody stands with a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    policy: Policy,
    remaining: u32,
    next_in: Duration,
}

impl Standing {
    /// One was let through, and `remaining` more would be.
    pub(super) fn after(policy: Policy, remaining: u32) -> Self {
        Self {
            policy,
            remaining,
            // At the latest: how much of it is over the limiter does not say.
            next_in: policy.interval(),
        }
    }

    /// None is let through before `wait` is over.
    pub(super) fn until(policy: Policy, wait: Duration) -> Self {
        Self {
            policy,
            remaining: 0,
            next_in: wait,
        }
    }

    /// The headers that say so, to be added beside those of other limits.
    pub fn headers(&self) -> [(HeaderName, HeaderValue); 2] {
        let Policy {
            name,
            quota,
            window,
        } = self.policy;
        let policy = format!("\"{name}\";q={quota};w={}", window.as_secs());
        [
            (POLICY, value(&policy)),
            (STANDING, value(&self.to_string())),
        ]
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, remaining) = (self.policy.name, self.remaining);
        // Rounded up, so that whoever waits so long is let through.
        let seconds = self.next_in.as_millis().div_ceil(1000).max(1);
        write!(f, "\"{name}\";r={remaining};t={seconds}")
    }
}

/// Names of limits are plain words of ours.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
