//! The loop of attempts: who may be asked again, when, and on whose budget.

use std::time::Duration;

use bytes::Bytes;
use lyceum_resilience::budget::Reservation;
use lyceum_resilience::deadline::{Deadline, Instant};

use crate::attempt::{Class, Failure};
use crate::call::Call;
use crate::upstream::Inner;
use crate::{ClientError, Upstream};

/// With less time than this left, a call would only burden the peer (cinar/resile: 5 ms).
pub(crate) const FLOOR: Duration = Duration::from_millis(5);

impl Upstream {
    /// The body of a successful answer.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Bytes, ClientError> {
        let inner = &*self.0;
        let deadline = inner.deadline(Instant::now());
        let mut reservation = None;
        let mut earlier = None;
        for number in 1.. {
            let failure = match inner.attempt(call, number, deadline, reservation).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            if let Class::Refused = failure.class {
                inner.counters.refused(failure.error.reason());
                // What the peer did before says more than that it was not asked again.
                return Err(earlier.unwrap_or(failure.error));
            }
            let Some((wait, reserved)) = inner.repeat(call, &failure, number, deadline) else {
                return Err(failure.error);
            };
            tokio::time::sleep(wait).await;
            inner.counters.retried(failure.error.reason());
            reservation = Some(reserved);
            earlier = Some(failure.error);
        }
        // Attempts are bounded by the settings, far below the range of the counter.
        Err(ClientError::Overloaded)
    }
}

impl Inner {
    /// What the upstream may take, or what the caller still grants, whichever is sooner.
    fn deadline(&self, now: Instant) -> Deadline {
        let own = Deadline::from(now, self.limits.total);
        Deadline::current().map_or(own, |granted| {
            own.earlier(granted.sooner_by(self.limits.margin))
        })
    }

    /// The wait before another attempt and its place in the budget; `None` when there is none.
    fn repeat(
        &self,
        call: &Call<'_>,
        failure: &Failure,
        number: u32,
        deadline: Deadline,
    ) -> Option<(Duration, Reservation<'_>)> {
        let hint = match failure.class {
            Class::NeverSent => Duration::ZERO,
            Class::Ambiguous if call.repeatable => Duration::ZERO,
            Class::ToldToWait(hint) if call.repeatable => hint,
            Class::Ambiguous | Class::ToldToWait(_) | Class::Final | Class::Refused => return None,
        };
        if number >= self.limits.attempts {
            return None;
        }
        let now = Instant::now();
        let wait = self
            .backoff
            .delay(number - 1, &mut fastrand::Rng::new())
            .max(hint);
        let fits = deadline
            .remaining(now)
            .is_some_and(|left| left > wait.saturating_add(FLOOR));
        if !fits || self.endpoint.breaker.peek(now).is_err() {
            return None;
        }
        let reservation = self.budget.reserve(now);
        if reservation.is_none() {
            self.counters.refused("retry_budget");
        }
        Some((wait, reservation?))
    }
}
