//! The events an operator must know of, as log lines.

use lyceum_resilience::breaker::{State, Transition};

use super::Event;

pub(super) fn tell(upstream: &'static str, event: &Event) {
    match event {
        Event::Breaker {
            endpoint,
            transition,
        } => breaker(upstream, endpoint, *transition),
        Event::Ejected { endpoint, length } => tracing::warn!(
            event = "endpoint.ejected",
            upstream,
            endpoint = &**endpoint,
            length_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX),
            "this endpoint fails far more often than its peers and is left out for a while"
        ),
        Event::Endpoints { endpoints } => tracing::info!(
            event = "upstream.endpoints",
            upstream,
            endpoints = endpoints
                .iter()
                .map(|name| &**name)
                .collect::<Vec<_>>()
                .join(", "),
            "the addresses of this peer have changed"
        ),
        // Seen per call in its trace, and counted; a line each would flood the log in an outage.
        Event::Repeated { .. }
        | Event::Refused { .. }
        | Event::Cache { .. }
        | Event::Hedged { .. } => {}
    }
}

fn breaker(upstream: &'static str, endpoint: &str, transition: Transition) {
    match transition.to {
        State::Open => tracing::warn!(
            event = "breaker.opened",
            upstream,
            endpoint,
            cause = transition.cause.as_str(),
            open_for_ms = u64::try_from(transition.open_for.as_millis()).unwrap_or(u64::MAX),
            mode = transition.mode.as_str(),
            "this endpoint is to rest for a while; in mode automatic calls to it are refused"
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
