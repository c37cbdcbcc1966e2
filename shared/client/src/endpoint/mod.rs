//! One address of an upstream, and what is known of its health.

mod addresses;
mod choice;
mod transport;

use std::net::SocketAddr;
use std::sync::Arc;

use lyceum_resilience::InvalidSetting;
use lyceum_resilience::balance::PeakEwma;
use lyceum_resilience::breaker::{Breaker, BreakerSettings, Snapshot};
use lyceum_resilience::deadline::Instant;
use lyceum_resilience::outlier::{Outliers, Standing};
use lyceum_telemetry::attempt::Target;
use reqwest::Url;
use serde::Serialize;

pub(crate) use self::addresses::Addresses;
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
    pub(crate) target: Target,
    pub(crate) breaker: Breaker,
    /// How quick it is.
    pub(crate) load: Arc<PeakEwma>,
    /// How it does beside the others.
    pub(crate) standing: Arc<Standing>,
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
    /// Milliseconds for which it is left out because it fails far more often than its peers.
    pub ejected_for_ms: u64,
}

/// What an endpoint is made with, besides where it is.
pub(crate) struct Making<'a> {
    pub(crate) breaker: &'a BreakerSettings,
    pub(crate) transport: Transport,
    pub(crate) outliers: &'a Outliers,
    pub(crate) observer: &'a Arc<Observer>,
}

impl Endpoint {
    pub(crate) fn new(
        location: Location,
        making: Making<'_>,
        seed: u64,
    ) -> Result<Self, InvalidSetting> {
        let now = Instant::now();
        let breaker = Breaker::new(making.breaker, now, seed)?;
        let load = Arc::new(PeakEwma::new(now));
        let standing = Arc::new(making.outliers.newcomer());
        Ok(Self::with(location, breaker, load, standing, making))
    }

    /// The same under other settings: its breaker stays where it is, and what is known of its
    /// speed stays known. Its standing does if it is measured as before.
    pub(crate) fn succeed(
        &self,
        location: Location,
        making: Making<'_>,
        measured_as_before: bool,
    ) -> Result<Self, InvalidSetting> {
        let breaker = self.breaker.succeed(making.breaker, Instant::now())?;
        let standing = if measured_as_before {
            Arc::clone(&self.standing)
        } else {
            Arc::new(making.outliers.newcomer())
        };
        let load = Arc::clone(&self.load);
        Ok(Self::with(location, breaker, load, standing, making))
    }

    fn with(
        location: Location,
        breaker: Breaker,
        load: Arc<PeakEwma>,
        standing: Arc<Standing>,
        making: Making<'_>,
    ) -> Self {
        let name = location.name();
        let (observer, endpoint) = (Arc::clone(making.observer), Arc::clone(&name));
        let breaker = breaker.on_transition(move |transition| {
            let endpoint = Arc::clone(&endpoint);
            observer.tell(&Event::Breaker {
                endpoint,
                transition,
            });
        });
        Self {
            target: Target::new(location.origin.as_str()),
            location,
            name,
            breaker,
            load,
            standing,
            transport: making.transport,
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

    pub(crate) fn report(
        &self,
        upstream: &'static str,
        outliers: &Outliers,
        now: Instant,
    ) -> BreakerReport {
        let ejected = outliers
            .ejected_for(&self.standing, now)
            .unwrap_or_default();
        BreakerReport {
            upstream,
            endpoint: self.name.to_string(),
            breaker: self.breaker.snapshot(now),
            ejected_for_ms: u64::try_from(ejected.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
