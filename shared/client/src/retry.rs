//! The loop of attempts: who may be asked again, when, and on whose budget.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use lyceum_resilience::budget::Reservation;
use lyceum_resilience::deadline::{Deadline, Instant};

use crate::attempt::{Class, Failure};
use crate::call::Call;
use crate::events::Event;
use crate::upstream::{Inner, Pipeline};
use crate::{ClientError, Upstream};

/// With less time than this left, a call would only burden the peer (cinar/resile: 5 ms).
pub(crate) const FLOOR: Duration = Duration::from_millis(5);

/// The right to make one attempt after the first.
pub(crate) struct Repeat<'a> {
    pub(crate) reservation: Reservation<'a>,
    /// What went wrong before.
    pub(crate) reason: &'static str,
    /// How long to wait before it.
    pub(crate) wait: Duration,
}

/// One logical call on its way, under the policies that were in force as it began.
pub(crate) struct Sending<'a> {
    pub(crate) upstream: &'a Inner,
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) call: &'a Call<'a>,
    pub(crate) deadline: Deadline,
    pub(crate) progress: Progress,
}

/// How far a call has come. Atomic only because it may move between threads.
pub(crate) struct Progress {
    begun: Instant,
    /// Requests sent.
    sent: AtomicU32,
    /// Where the last one went to, and when, in microseconds since the call began.
    endpoint: AtomicUsize,
    at_us: AtomicU64,
}

/// A request on its way.
#[derive(Clone, Copy)]
pub(crate) struct Departure {
    pub(crate) endpoint: usize,
    pub(crate) at: Instant,
}

impl Progress {
    pub(crate) fn sent(&self) -> u32 {
        self.sent.load(Relaxed)
    }

    pub(crate) fn last(&self) -> Option<Departure> {
        let at = self.begun + Duration::from_micros(self.at_us.load(Relaxed));
        let endpoint = self.endpoint.load(Relaxed);
        (self.sent() > 0).then_some(Departure { endpoint, at })
    }

    /// One more request goes to `endpoint`.
    pub(crate) fn depart(&self, endpoint: usize, now: Instant) {
        let at = now.saturating_duration_since(self.begun).as_micros();
        self.endpoint.store(endpoint, Relaxed);
        self.at_us
            .store(u64::try_from(at).unwrap_or(u64::MAX), Relaxed);
        self.sent.fetch_add(1, Relaxed);
    }
}

impl Upstream {
    /// Sends the call under its policies: the body of a successful answer.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Bytes, ClientError> {
        let pipeline = self.0.pipeline.load_full();
        let now = Instant::now();
        let sending = Sending::new(&self.0, &pipeline, call, pipeline.deadline(now), now);
        sending.run(now).await
    }

    /// The same, with what is left of a time that began before.
    pub(crate) async fn send_by(
        &self,
        call: &Call<'_>,
        deadline: Deadline,
    ) -> Result<Bytes, ClientError> {
        let pipeline = self.0.pipeline.load_full();
        let now = Instant::now();
        let deadline = deadline.earlier(pipeline.deadline(now));
        let sending = Sending::new(&self.0, &pipeline, call, deadline, now);
        sending.run(now).await
    }
}

impl<'a> Sending<'a> {
    fn new(
        upstream: &'a Inner,
        pipeline: &'a Pipeline,
        call: &'a Call<'a>,
        deadline: Deadline,
        begun: Instant,
    ) -> Self {
        let progress = Progress {
            begun,
            sent: AtomicU32::new(0),
            endpoint: AtomicUsize::new(0),
            at_us: AtomicU64::new(0),
        };
        Self {
            upstream,
            pipeline,
            call,
            deadline,
            progress,
        }
    }
}

impl Sending<'_> {
    async fn run(&self, mut now: Instant) -> Result<Bytes, ClientError> {
        let (mut number, mut repeat, mut earlier) = (1, None, None);
        // Whether the peer may have seen the request of any attempt.
        let mut seen = false;
        loop {
            let result = match self.hedge_delay(number, now) {
                None => self.attempt(number, now, repeat).await,
                Some(delay) => {
                    // Boxed: two attempts at once, for the few calls that ask for them.
                    let race = Box::pin(self.race(delay, now)).await;
                    number = race.attempts;
                    race.result
                }
            };
            let mut failure = match result {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            seen |= !matches!(failure.class, Class::NeverSent | Class::Refused);
            if let ClientError::Unreachable { sent } = &mut failure.error {
                *sent |= seen;
            }
            if self.call.unhurried {
                return Err(failure.error);
            }
            if failure.is_refusal() {
                let reason = failure.error.reason();
                self.upstream.observer.tell(&Event::Refused { reason });
                // What the peer did before says more than that it was not asked again.
                return Err(earlier.unwrap_or(failure.error));
            }
            let Some(next) = self.repeat(&failure, number) else {
                return Err(failure.error);
            };
            tokio::time::sleep(next.wait).await;
            number += 1;
            now = Instant::now();
            repeat = Some(next);
            earlier = Some(failure.error);
        }
    }

    /// The right to another attempt, and the wait before it; `None` when there is to be none.
    fn repeat(&self, failure: &Failure, number: u32) -> Option<Repeat<'_>> {
        let pipeline = self.pipeline;
        let hint = match failure.class {
            Class::NeverSent => Duration::ZERO,
            Class::Ambiguous if self.call.repeatable => Duration::ZERO,
            Class::ToldToWait(hint) if self.call.repeatable => hint,
            Class::Ambiguous | Class::ToldToWait(_) | Class::Final | Class::Refused => return None,
        };
        if number >= pipeline.limits.attempts {
            return None;
        }
        let now = Instant::now();
        let backoff = |rng: &mut fastrand::Rng| pipeline.backoff.delay(number - 1, rng);
        let wait = self.upstream.dice.with(backoff).max(hint);
        let left = self.deadline.remaining(now)?;
        if left <= wait.saturating_add(FLOOR) || pipeline.look(now).is_err() {
            return None;
        }
        let Some(reservation) = pipeline.budget.reserve(now) else {
            let reason = "retry_budget";
            self.upstream.observer.tell(&Event::Refused { reason });
            return None;
        };
        Some(Repeat {
            reservation,
            reason: failure.error.reason(),
            wait,
        })
    }
}
