//! The policies of one upstream as they are now. A change of settings makes another pipeline, and
//! the calls under way end in the one they began in.

use std::sync::Arc;

use http::HeaderValue;
use lyceum_resilience::backoff::Backoff;
use lyceum_resilience::budget::RetryBudget;
use lyceum_resilience::bulkhead::Bulkhead;
use lyceum_resilience::deadline::{Deadline, Instant};
use lyceum_resilience::hedge::Hedge;
use lyceum_resilience::outlier::Outliers;

use super::dice::Dice;
use crate::cache::Cache;
use crate::endpoint::{Endpoint, Location, Making, Wiring};
use crate::events::Observer;
use crate::request::milliseconds;
use crate::settings::{Limits, SettingsError, UpstreamSettings};

pub(crate) struct Pipeline {
    pub(crate) settings: UpstreamSettings,
    pub(crate) limits: Limits,
    /// What most attempts tell the peer: a whole `attempt_timeout_ms`.
    pub(crate) attempt_ms: HeaderValue,
    pub(crate) backoff: Backoff,
    pub(crate) budget: Arc<RetryBudget>,
    pub(crate) bulkhead: Arc<Bulkhead>,
    /// At least one.
    pub(crate) endpoints: Vec<Arc<Endpoint>>,
    pub(crate) outliers: Arc<Outliers>,
    pub(crate) hedge: Arc<Hedge>,
    pub(crate) cache: Option<Arc<Cache>>,
}

/// What every pipeline of an upstream is built with.
pub(crate) struct Builder {
    pub(crate) upstream: &'static str,
    pub(crate) wiring: Wiring,
    pub(crate) observer: Arc<Observer>,
}

impl Builder {
    /// A pipeline of `settings` to `locations`. What the settings leave as it was in `before`
    /// stays: counts, slots, connections. Breakers stay where they are in any case, so that no
    /// change of a timeout lets a herd at a peer that rests.
    pub(crate) fn build(
        &self,
        settings: &UpstreamSettings,
        locations: Vec<Location>,
        before: Option<&Pipeline>,
        dice: &Dice,
    ) -> Result<Pipeline, SettingsError> {
        let invalid = |invalid| SettingsError::of_upstream(self.upstream, invalid);
        let limits = settings.limits().map_err(invalid)?;
        let now = Instant::now();
        let outliers = match before {
            Some(before) if before.settings.outlier == settings.outlier => {
                Arc::clone(&before.outliers)
            }
            _ => Outliers::new(&settings.outlier, now, dice.seed())
                .map(Arc::new)
                .map_err(invalid)?,
        };
        let hedge = match before {
            Some(before) if before.settings.hedge == settings.hedge => Arc::clone(&before.hedge),
            _ => Hedge::new(&settings.hedge, now)
                .map(Arc::new)
                .map_err(invalid)?,
        };
        let made = Made {
            settings,
            limits: &limits,
            outliers: &outliers,
        };
        let endpoints = locations
            .into_iter()
            .map(|location| self.endpoint(made, location, before, dice))
            .collect::<Result<_, _>>()?;
        let budget = match before {
            Some(before) if before.settings.budget == settings.budget => Arc::clone(&before.budget),
            _ => RetryBudget::new(&settings.budget, now)
                .map(Arc::new)
                .map_err(invalid)?,
        };
        let bulkhead = match before {
            Some(before) if before.settings.bulkhead == settings.bulkhead => {
                Arc::clone(&before.bulkhead)
            }
            _ => Bulkhead::new(&settings.bulkhead)
                .map(Arc::new)
                .map_err(invalid)?,
        };
        let cache = match before {
            Some(before)
                if before.settings.cache == settings.cache
                    && before.settings.base_url == settings.base_url =>
            {
                before.cache.clone()
            }
            _ => Cache::new(&settings.cache).map_err(invalid)?.map(Arc::new),
        };
        Ok(Pipeline {
            settings: settings.clone(),
            attempt_ms: milliseconds(limits.attempt),
            limits,
            backoff: Backoff::new(&settings.backoff).map_err(invalid)?,
            budget,
            bulkhead,
            endpoints,
            outliers,
            hedge,
            cache,
        })
    }

    /// The endpoint at `location`: the one there was, if nothing that shapes it has changed.
    fn endpoint(
        &self,
        made: Made<'_>,
        location: Location,
        before: Option<&Pipeline>,
        dice: &Dice,
    ) -> Result<Arc<Endpoint>, SettingsError> {
        let limits = made.limits;
        let known = before.and_then(|before| Some((before, before.endpoint_at(&location)?)));
        let connections = known.filter(|(before, _)| {
            before.limits.connect == limits.connect && before.limits.pool_idle == limits.pool_idle
        });
        let measured_as_before =
            known.is_some_and(|(before, _)| before.settings.outlier == made.settings.outlier);
        if let Some((before, endpoint)) = connections
            && before.settings.breaker == made.settings.breaker
            && measured_as_before
        {
            return Ok(Arc::clone(endpoint));
        }
        let transport = match connections {
            Some((_, endpoint)) => endpoint.transport.clone(),
            None => self.wiring.connect(&location, limits).map_err(|error| {
                SettingsError::new(
                    format!("upstreams.{}.base_url", self.upstream),
                    format!("allow a client to be built: {error}"),
                )
            })?,
        };
        let making = Making {
            breaker: &made.settings.breaker,
            transport,
            outliers: made.outliers,
            observer: &self.observer,
        };
        let endpoint = match known {
            Some((_, endpoint)) => endpoint.succeed(location, making, measured_as_before),
            None => match before.and_then(|before| before.name_of(&location)) {
                Some(name) => name.succeed(location, making, false),
                None => Endpoint::new(location, making, dice.seed()),
            },
        };
        let invalid = |invalid| SettingsError::of_upstream(self.upstream, invalid);
        endpoint.map(Arc::new).map_err(invalid)
    }
}

/// What the endpoints of a new pipeline share.
#[derive(Clone, Copy)]
struct Made<'a> {
    settings: &'a UpstreamSettings,
    limits: &'a Limits,
    outliers: &'a Outliers,
}

impl Pipeline {
    /// The endpoint that was the whole name, of which `location` turns out to be one address: what
    /// was decided about it holds for each of them.
    fn name_of(&self, location: &Location) -> Option<&Endpoint> {
        let name = Location {
            address: None,
            ..location.clone()
        };
        self.endpoint_at(&name).map(|endpoint| &**endpoint)
    }

    fn endpoint_at(&self, location: &Location) -> Option<&Arc<Endpoint>> {
        let mut endpoints = self.endpoints.iter();
        endpoints.find(|endpoint| endpoint.location == *location)
    }

    /// What the upstream may take, or what the caller still grants, whichever is sooner.
    pub(crate) fn deadline(&self, now: Instant) -> Deadline {
        let own = Deadline::starting(now, self.limits.total);
        Deadline::current().map_or(own, |granted| {
            own.earlier(granted.sooner_by(self.limits.margin))
        })
    }
}
