//! One address of an upstream, and what is known of its health.

use std::sync::Arc;

use lyceum_resilience::InvalidSetting;
use lyceum_resilience::breaker::{Breaker, BreakerSettings, Snapshot, State, Transition};
use lyceum_resilience::deadline::Instant;
use reqwest::Url;
use serde::Serialize;

use crate::metrics::Transitions;

/// A base URL and its breaker: a peer fails address by address, not as a whole.
#[derive(Debug)]
pub(crate) struct Endpoint {
    origin: Url,
    /// `host:port`, as logs, metrics and `/debug/breakers` name it.
    pub(crate) name: Arc<str>,
    pub(crate) breaker: Breaker,
}

/// One line of `/debug/breakers`.
#[derive(Debug, Clone, Serialize)]
pub struct BreakerReport {
    /// The service called.
    pub upstream: &'static str,
    /// `host:port`.
    pub endpoint: String,
    /// The breaker's state and counts.
    #[serde(flatten)]
    pub breaker: Snapshot,
}

impl Endpoint {
    pub(crate) fn new(
        upstream: &'static str,
        origin: Url,
        settings: &BreakerSettings,
    ) -> Result<Self, InvalidSetting> {
        let host = origin.host_str().unwrap_or_default();
        let port = origin.port_or_known_default().unwrap_or_default();
        let name: Arc<str> = format!("{host}:{port}").into();
        let (transitions, endpoint) = (Transitions::new(upstream, &name), Arc::clone(&name));
        let breaker = Breaker::new(settings, Instant::now(), fastrand::u64(..))?.on_transition(
            move |transition| {
                transitions.count(transition.to);
                log(upstream, &endpoint, transition);
            },
        );
        Ok(Self {
            origin,
            name,
            breaker,
        })
    }

    /// The URL of a path, with a query if it has one.
    pub(crate) fn url(&self, target: &str) -> Url {
        let mut url = self.origin.clone();
        match target.split_once('?') {
            Some((path, query)) => {
                url.set_path(path);
                url.set_query(Some(query));
            }
            None => url.set_path(target),
        }
        url
    }

    pub(crate) fn report(&self, upstream: &'static str, now: Instant) -> BreakerReport {
        BreakerReport {
            upstream,
            endpoint: self.name.to_string(),
            breaker: self.breaker.snapshot(now),
        }
    }
}

fn log(upstream: &'static str, endpoint: &str, transition: Transition) {
    match transition.to {
        State::Open => tracing::warn!(
            event = "breaker.opened",
            upstream,
            endpoint,
            open_for_ms = u64::try_from(transition.open_for.as_millis()).unwrap_or(u64::MAX),
            "calls to this endpoint are refused for a while"
        ),
        State::HalfOpen => tracing::info!(
            event = "breaker.half_opened",
            upstream,
            endpoint,
            "a few calls try the endpoint again"
        ),
        State::Closed => tracing::info!(
            event = "breaker.closed",
            upstream,
            endpoint,
            "the endpoint works again"
        ),
    }
}
