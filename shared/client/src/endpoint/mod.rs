//! One address of an upstream, and what is known of its health.

mod transport;

use std::net::SocketAddr;
use std::sync::Arc;

use lyceum_resilience::InvalidSetting;
use lyceum_resilience::breaker::{Breaker, BreakerSettings, Snapshot};
use lyceum_resilience::deadline::Instant;
use reqwest::Url;
use serde::Serialize;

pub(crate) use self::transport::{Transport, Wiring};
use crate::events::{Event, Observer};

/// Where an endpoint is: a base URL, and the one of its host's addresses when it has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) origin: Url,
    pub(crate) address: Option<SocketAddr>,
}

impl Location {
    /// `host:port`, as logs, metrics and `/debug/breakers` name it.
    fn name(&self) -> Arc<str> {
        if let Some(address) = self.address {
            return address.to_string().into();
        }
        let host = self.origin.host_str().unwrap_or_default();
        let port = self.origin.port_or_known_default().unwrap_or_default();
        format!("{host}:{port}").into()
    }
}

/// An address, its connections and its breaker: a peer fails address by address, not as a whole.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) location: Location,
    pub(crate) name: Arc<str>,
    pub(crate) breaker: Breaker,
    pub(crate) transport: Transport,
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
        location: Location,
        settings: &BreakerSettings,
        transport: Transport,
        observer: &Arc<Observer>,
        seed: u64,
    ) -> Result<Self, InvalidSetting> {
        let breaker = Breaker::new(settings, Instant::now(), seed)?;
        Ok(Self::with(location, breaker, transport, observer))
    }

    /// The same address under other settings: its breaker stays where it is.
    pub(crate) fn succeed(
        &self,
        settings: &BreakerSettings,
        transport: Transport,
        observer: &Arc<Observer>,
    ) -> Result<Self, InvalidSetting> {
        let breaker = Breaker::new(settings, Instant::now(), 0)?;
        Ok(Self::with(
            self.location.clone(),
            breaker,
            transport,
            observer,
        ))
    }

    fn with(
        location: Location,
        breaker: Breaker,
        transport: Transport,
        observer: &Arc<Observer>,
    ) -> Self {
        let name = location.name();
        let (observer, endpoint) = (Arc::clone(observer), Arc::clone(&name));
        let breaker = breaker.on_transition(move |transition| {
            let endpoint = Arc::clone(&endpoint);
            observer.tell(&Event::Breaker {
                endpoint,
                transition,
            });
        });
        Self {
            location,
            name,
            breaker,
            transport,
        }
    }

    /// The URL of a path, with a query if it has one.
    pub(crate) fn url(&self, target: &str) -> Url {
        let mut url = self.location.origin.clone();
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
