//! One service to call: its policies, their state, and what an operator may do to them.

mod describe;
mod dice;
mod pipeline;
mod watch;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use lyceum_resilience::breaker::Mode;
use lyceum_resilience::deadline::Instant;
use reqwest::Url;

pub(crate) use self::dice::Dice;
use self::pipeline::Builder;
pub(crate) use self::pipeline::Pipeline;
use crate::endpoint::{Addresses, BreakerReport, Wiring};
use crate::events::{Listener, Observer, metrics};
use crate::faults::{Fault, FaultInjection, FaultReport, Injector};
use crate::identity::{Credential, Identity};
use crate::settings::{SettingsError, UpstreamSettings};

/// A handle on one service. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Upstream(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) name: &'static str,
    pub(crate) credential: Credential,
    pub(crate) injector: Injector,
    pub(crate) observer: Arc<Observer>,
    pub(crate) dice: Dice,
    pub(crate) pipeline: ArcSwap<Pipeline>,
    /// Held while another pipeline is built: of two changes at once, the second starts from what
    /// the first has made.
    building: Mutex<Building>,
}

/// What it takes to build the next pipeline.
struct Building {
    builder: Builder,
    addresses: Addresses,
}

impl Upstream {
    /// Checks the settings and prepares the connections; sends nothing. `name` is the audience of
    /// the tokens and the section `upstreams.<name>` of the settings.
    ///
    /// # Errors
    /// [`SettingsError`] names the key that cannot be.
    pub fn new(
        name: &'static str,
        settings: &UpstreamSettings,
        identity: &Identity,
    ) -> Result<Self, SettingsError> {
        let service = identity.service();
        let wiring = Wiring::Network { service };
        Self::with(name, settings, identity, wiring, None, Dice::Thread)
    }

    pub(crate) fn with(
        name: &'static str,
        settings: &UpstreamSettings,
        identity: &Identity,
        wiring: Wiring,
        listener: Option<Listener>,
        dice: Dice,
    ) -> Result<Self, SettingsError> {
        let observer = Arc::new(Observer::new(name, listener));
        let fault = settings.fault(name)?;
        let builder = Builder {
            upstream: name,
            wiring,
            observer: Arc::clone(&observer),
        };
        let addresses = Addresses::default();
        let locations = addresses.locations(origins(name, settings)?);
        let pipeline = builder.build(settings, locations, None, &dice)?;
        let inner = Arc::new(Inner {
            name,
            credential: Credential::new(identity, name),
            injector: Injector::new(name, fault),
            observer,
            dice,
            pipeline: ArcSwap::from_pointee(pipeline),
            building: Mutex::new(Building { builder, addresses }),
        });
        metrics::observe(&Arc::downgrade(&inner));
        Ok(Self(inner))
    }

    /// The service called.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// The settings in force.
    pub fn settings(&self) -> UpstreamSettings {
        self.0.pipeline.load().settings.clone()
    }

    /// Puts other settings in force, for calls that begin from now on. What they leave as it was
    /// goes on undisturbed, and breakers stay where they are. Calls under way end under the settings
    /// they began with; if those of the breaker change, their verdicts no longer count, and if those
    /// of the bulkhead do, it starts empty and does not know of them.
    ///
    /// # Errors
    /// [`SettingsError`] names the key that cannot be; nothing has changed then.
    pub fn reconfigure(&self, settings: &UpstreamSettings) -> Result<(), SettingsError> {
        let inner = &*self.0;
        settings.check(inner.name, FaultInjection::Allowed)?;
        let fault = settings.fault(inner.name)?;
        let mut building = inner.building();
        let before = inner.pipeline.load_full();
        if settings.dns_refresh_ms == 0 {
            // Nobody would ever look the names up again.
            building.addresses = Addresses::default();
        }
        let locations = building.addresses.locations(origins(inner.name, settings)?);
        let builder = &building.builder;
        let pipeline = builder.build(settings, locations, Some(&before), &inner.dice)?;
        inner.pipeline.store(Arc::new(pipeline));
        if before.settings.faults != settings.faults {
            match fault {
                Some(fault) => drop(inner.injector.inject(fault)),
                None => inner.injector.heal(),
            }
        }
        Ok(())
    }

    /// The state of each endpoint's breaker.
    pub fn breakers(&self) -> Vec<BreakerReport> {
        let (pipeline, now) = (self.0.pipeline.load(), Instant::now());
        let endpoints = pipeline.endpoints.iter();
        endpoints
            .map(|endpoint| endpoint.report(self.0.name, &pipeline.outliers, now))
            .collect()
    }

    /// Takes the decision from the breaker of `endpoint` (`host:port`), or gives it back with
    /// [`Mode::Automatic`]; false when there is no such endpoint.
    pub fn set_mode(&self, endpoint: &str, mode: Mode) -> bool {
        // A pipeline that is being built would take the mode of before over.
        let _building = self.0.building();
        let pipeline = self.0.pipeline.load();
        let mut endpoints = pipeline.endpoints.iter();
        let found = endpoints.find(|known| *known.name == *endpoint);
        if let Some(endpoint) = found {
            endpoint.breaker.set_mode(mode);
        }
        found.is_some()
    }

    /// Makes attempts fail on purpose, in the place of what was set before.
    pub fn inject(&self, fault: Fault) -> FaultReport {
        self.0.injector.inject(fault)
    }

    /// Lets no attempt fail on purpose any more.
    pub fn heal(&self) {
        self.0.injector.heal();
    }

    /// The fault under way, and how many attempts were hit.
    pub fn fault(&self) -> FaultReport {
        self.0.injector.report()
    }

    /// The policies in words, outermost first, one to a line.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = self.0.pipeline.load().describe();
        let fault = self.fault().fault;
        lines.extend(fault.map(|fault| format!("faults: {}", fault.describe())));
        lines
    }
}

impl Inner {
    fn building(&self) -> MutexGuard<'_, Building> {
        let building = self.building.lock();
        building.unwrap_or_else(PoisonError::into_inner)
    }
}

/// The base URLs of the settings.
fn origins(upstream: &'static str, settings: &UpstreamSettings) -> Result<Vec<Url>, SettingsError> {
    let origins = settings.origins();
    origins.map_err(|invalid| SettingsError::of_upstream(upstream, invalid))
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("name", &self.0.name)
            .field("endpoints", &self.0.pipeline.load().endpoints)
            .finish_non_exhaustive()
    }
}
