//! One service to call: its connections, its policies and their state.

use std::fmt;
use std::sync::Arc;

use lyceum_resilience::backoff::Backoff;
use lyceum_resilience::budget::RetryBudget;
use lyceum_resilience::bulkhead::Bulkhead;
use lyceum_resilience::deadline::Instant;
use reqwest::redirect;

use crate::endpoint::{BreakerReport, Endpoint};
use crate::faults::{Fault, FaultReport, Injector};
use crate::identity::{Credential, Identity};
use crate::metrics::{self, Counters};
use crate::settings::{Limits, SettingsError, UpstreamSettings};

/// A handle on one service. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Upstream(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) name: &'static str,
    pub(crate) http: reqwest::Client,
    pub(crate) endpoint: Endpoint,
    pub(crate) limits: Limits,
    pub(crate) backoff: Backoff,
    pub(crate) budget: RetryBudget,
    pub(crate) bulkhead: Bulkhead,
    pub(crate) credential: Credential,
    pub(crate) counters: Counters,
    pub(crate) injector: Injector,
    settings: UpstreamSettings,
}

impl Upstream {
    /// `name` is the audience of the tokens and the section `upstreams.<name>` of the settings.
    pub(crate) fn new(
        name: &'static str,
        settings: &UpstreamSettings,
        identity: &Identity,
    ) -> Result<Self, SettingsError> {
        let invalid = |invalid| SettingsError::of_upstream(name, invalid);
        let origin = settings.origin().map_err(invalid)?;
        let limits = settings.limits().map_err(invalid)?;
        let fault = settings.fault(name)?;
        let http = pool(&limits, origin.scheme(), identity.service()).map_err(|error| {
            SettingsError::new(
                format!("upstreams.{name}.base_url"),
                format!("allow a client to be built: {error}"),
            )
        })?;
        let inner = Arc::new(Inner {
            name,
            http,
            endpoint: Endpoint::new(name, origin, &settings.breaker).map_err(invalid)?,
            limits,
            backoff: Backoff::new(&settings.backoff).map_err(invalid)?,
            budget: RetryBudget::new(&settings.budget, Instant::now()).map_err(invalid)?,
            bulkhead: Bulkhead::new(&settings.bulkhead).map_err(invalid)?,
            credential: Credential::new(identity, name),
            counters: Counters::new(name),
            injector: Injector::new(name, fault),
            settings: settings.clone(),
        });
        metrics::observe(&Arc::downgrade(&inner));
        Ok(Self(inner))
    }

    /// The service called.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// The state of each endpoint's breaker.
    pub fn breakers(&self) -> Vec<BreakerReport> {
        vec![self.0.endpoint.report(self.0.name, Instant::now())]
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

    /// The policies in words, outermost first, and the fault of the settings if there is one.
    pub fn describe(&self) -> String {
        let Inner {
            name,
            endpoint,
            settings,
            ..
        } = &*self.0;
        let UpstreamSettings {
            backoff,
            budget,
            breaker,
            bulkhead,
            ..
        } = settings;
        let mut description = format!(
            "{name} at {}: \
             in all {} ms, or what the caller grants less {} ms; \
             up to {} attempts, waiting up to {} ms doubling to {} ms, \
             repeats at most {} % of calls + {}/s over {} ms; \
             {} in flight, {} queued for up to {} ms; \
             breaker opens on {} failures in a row or {} % of {} or more calls in {} ms, \
             for {} ms doubling to {} ms, and closes after {} probes; \
             attempt {} ms, connecting {} ms",
            endpoint.name,
            settings.total_timeout_ms,
            settings.deadline_margin_ms,
            settings.attempts,
            backoff.base_ms,
            backoff.cap_ms,
            budget.percent,
            budget.floor_per_second,
            budget.window_ms,
            bulkhead.max_in_flight,
            bulkhead.max_queued,
            bulkhead.max_wait_ms,
            breaker.consecutive_failures,
            breaker.failure_percent,
            breaker.minimum_calls,
            breaker.window_ms,
            breaker.open_ms,
            breaker.max_open_ms,
            breaker.probes,
            settings.attempt_timeout_ms,
            settings.connect_timeout_ms,
        );
        if let Some(fault) = settings.faults.describe() {
            description.push_str("; ");
            description.push_str(&fault);
        }
        description
    }
}

/// Connections to one peer. Whatever would send, repeat or redirect a request behind the back of
/// the policies is off.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that builds a client for a peer"
)]
fn pool(limits: &Limits, scheme: &str, service: &str) -> reqwest::Result<reqwest::Client> {
    // Fails when the process has chosen a provider already, which is as good.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let builder = reqwest::Client::builder()
        .user_agent(format!("lyceum-{service}"))
        .connect_timeout(limits.connect)
        .pool_idle_timeout(limits.pool_idle)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy();
    if scheme == "https" {
        builder.build()
    } else {
        // Without TLS there is no need of the machine's certificates, which may be missing.
        builder.tls_certs_only([]).build()
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("name", &self.0.name)
            .field("endpoint", &self.0.endpoint)
            .finish_non_exhaustive()
    }
}
