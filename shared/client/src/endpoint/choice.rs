//! Which endpoint an attempt goes to.

use std::time::Duration;

use lyceum_resilience::balance::choose;
use lyceum_resilience::breaker::{Permit, Refused};
use lyceum_resilience::deadline::Instant;

use super::Endpoint;
use crate::upstream::{Dice, Pipeline};

/// An endpoint, and the right to make one call to it.
pub(crate) struct Admission<'a> {
    pub(crate) index: usize,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) permit: Permit<'a>,
}

impl Pipeline {
    /// Whether some endpoint would let a call pass. Takes nothing.
    pub(crate) fn look(&self, now: Instant) -> Result<(), Refused> {
        let mut soonest = None;
        for endpoint in &self.endpoints {
            match endpoint.breaker.peek(now) {
                Ok(()) => return Ok(()),
                Err(refused) => soonest = Some(sooner(soonest, refused)),
            }
        }
        soonest.map_or(Ok(()), Err)
    }

    /// An endpoint that lets the call pass, rather not the one just `tried`.
    pub(crate) fn admit(
        &self,
        tried: Option<usize>,
        dice: &Dice,
        now: Instant,
    ) -> Result<Admission<'_>, Refused> {
        let mut soonest = None;
        // A breaker may refuse what it seemed to let pass, as one that ramps up does: there are
        // others, and each is asked once.
        let mut refused_by = Vec::new();
        while let Some(index) = self.choose(tried, &refused_by, dice, now) {
            let endpoint = &*self.endpoints[index];
            match endpoint.breaker.acquire(now) {
                Ok(permit) => {
                    return Ok(Admission {
                        index,
                        endpoint,
                        permit,
                    });
                }
                Err(refused) => soonest = Some(sooner(soonest, refused)),
            }
            refused_by.push(index);
        }
        Err(soonest.unwrap_or_else(|| self.rest(now)))
    }

    /// How long every endpoint still rests, at the least.
    fn rest(&self, now: Instant) -> Refused {
        let refused = self.look(now).err();
        refused.unwrap_or(Refused {
            retry_after: Duration::ZERO,
        })
    }

    /// The cheaper of two whose breakers let calls pass; one that is ejected only when there is no
    /// other. `None` when every breaker refuses.
    fn choose(
        &self,
        tried: Option<usize>,
        refused_by: &[usize],
        dice: &Dice,
        now: Instant,
    ) -> Option<usize> {
        let endpoints = &self.endpoints;
        if endpoints.len() == 1 {
            return refused_by.is_empty().then_some(0);
        }
        let cost = |index: usize| endpoints[index].load.cost(now);
        let passes = |index: usize| {
            !refused_by.contains(&index) && endpoints[index].breaker.peek(now).is_ok()
        };
        let is_in = |index: usize| {
            passes(index) && !self.outliers.is_ejected(&endpoints[index].standing, now)
        };
        dice.with(|rng| {
            choose(endpoints.len(), tried, rng, cost, is_in)
                .or_else(|| choose(endpoints.len(), tried, rng, cost, passes))
        })
    }
}

fn sooner(one: Option<Refused>, other: Refused) -> Refused {
    one.filter(|one| one.retry_after <= other.retry_after)
        .unwrap_or(other)
}
