//! One attempt: past the breaker and the bulkhead, out on the wire, and a verdict on the peer.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::Either;
use lyceum_resilience::breaker::{Refused, Verdict};
use lyceum_resilience::bulkhead::{Signal, Slot};
use lyceum_resilience::deadline::Instant;
use lyceum_telemetry::attempt::AttemptSpan;
use tracing::Instrument;

use crate::answer;
use crate::endpoint::Endpoint;
use crate::error::{ClientError, Malformation};
use crate::events::Event;
use crate::retry::{FLOOR, Repeat, Sending};
use crate::upstream::Pipeline;

/// Why an attempt brought no answer, and what follows from it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: ClientError,
    pub(crate) class: Class,
}

/// Whether a failed attempt may be followed by another.
#[derive(Debug)]
pub(crate) enum Class {
    /// The peer cannot have seen the request: any call may be repeated.
    NeverSent,
    /// The peer may have acted on it: only a repeatable call may be repeated.
    Ambiguous,
    /// The peer asked for time: a repeatable call may be repeated after it.
    ToldToWait(Duration),
    /// Another attempt would end the same way.
    Final,
    /// Refused here, nothing was sent: free of charge, and nothing to learn about the peer.
    Refused,
}

impl Failure {
    pub(crate) fn refused(error: ClientError) -> Self {
        Self {
            error,
            class: Class::Refused,
        }
    }

    /// Whether nothing was sent because of a policy of our own.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.class, Class::Refused)
    }
}

impl From<Refused> for Failure {
    fn from(Refused { retry_after }: Refused) -> Self {
        Self::refused(ClientError::CircuitOpen { retry_after })
    }
}

/// What the end of an attempt says about the peer: one that answers works, whatever it answers.
fn verdict(result: &Result<Bytes, Failure>) -> Verdict {
    match result.as_ref().map_err(|failure| &failure.error) {
        // Or one dead service would open the breakers of all that need it, one behind the other.
        Err(error) if error.is_of_a_peer_s_peer() => Verdict::Success,
        Err(ClientError::Refused { problem, .. }) if problem.status >= 500 => Verdict::Failure,
        Err(ClientError::Refused { problem, .. }) if problem.status == 429 => Verdict::Throttled,
        Err(
            ClientError::Timeout
            | ClientError::Unreachable { .. }
            | ClientError::Malformed(Malformation::NotHttp),
        ) => Verdict::Failure,
        Ok(_)
        | Err(
            ClientError::Refused { .. }
            | ClientError::Malformed(_)
            | ClientError::CircuitOpen { .. }
            | ClientError::Overloaded
            | ClientError::DeadlineExceeded { .. },
        ) => Verdict::Success,
    }
}

/// What the end of an attempt says about how much the peer can take.
fn signal(result: &Result<Bytes, Failure>) -> Signal {
    match result.as_ref().map_err(|failure| &failure.error) {
        Err(error) if error.is_of_a_peer_s_peer() => Signal::Done,
        Err(ClientError::Refused { problem, .. }) if matches!(problem.status, 429 | 503 | 504) => {
            Signal::Lost
        }
        Err(ClientError::Timeout | ClientError::Unreachable { .. }) => Signal::Lost,
        _ => Signal::Done,
    }
}

/// For how long the peer wants to be left alone; nobody is believed for more than 300 s (linkerd).
fn wished(result: &Result<Bytes, Failure>) -> Duration {
    const LONGEST: Duration = Duration::from_mins(5);
    match result.as_ref().map_err(|failure| &failure.error) {
        Err(ClientError::Refused {
            retry_after: Some(hint),
            ..
        }) => (*hint).min(LONGEST),
        _ => Duration::ZERO,
    }
}

impl Sending<'_> {
    /// Attempt `number`, counted from 1, begun at `now`. One after the first brings the right to
    /// it.
    pub(crate) async fn attempt(
        &self,
        number: u32,
        now: Instant,
        repeat: Option<Repeat<'_>>,
    ) -> Result<Bytes, Failure> {
        let pipeline = self.pipeline;
        let late = || {
            Failure::refused(ClientError::DeadlineExceeded {
                attempts: number - 1,
            })
        };
        self.left(now).ok_or_else(late)?;
        let (slot, now) = self.slot(now).await?;
        let left = self.left(now).ok_or_else(late)?;
        let slot = slot.ok_or_else(|| Failure::refused(ClientError::Overloaded))?;
        let tried = self.progress.last().map(|last| last.endpoint);
        let admission = pipeline.admit(tried, &self.upstream.dice, now)?;
        self.progress.depart(admission.index, now);
        let whole = pipeline.limits.attempt;
        let limit = whole.min(left);
        if self.call.unhurried {
            let result = self.exchange(admission.endpoint, number, now, limit).await;
            // Merely dropped after so long, the permit would count as that of a call that hung.
            admission.permit.discard();
            return result;
        }
        match repeat {
            Some(repeat) => {
                repeat.reservation.spend();
                self.upstream.observer.tell(&Event::Repeated {
                    attempt: number,
                    reason: repeat.reason,
                    wait: repeat.wait,
                });
            }
            None => pipeline.budget.deposit(now),
        }

        let endpoint = admission.endpoint;
        let in_flight = endpoint.load.start(now);
        let result = self.exchange(endpoint, number, now, limit).await;
        let end = Instant::now();
        let timed_out = matches!(&result, Err(failure) if failure.error == ClientError::Timeout);
        let latency = end - now;
        pipeline.hedge.record(latency, end);
        if timed_out && limit < whole / 2 {
            // A peer that had less than half of its time is not judged by it: callers in a hurry
            // must not open the circuit for everybody. But it took at least that long.
            admission.permit.discard();
            in_flight.finish(latency, true, end);
        } else {
            let verdict = verdict(&result);
            admission.permit.record(verdict, end);
            let wished = wished(&result);
            in_flight.finish(latency.max(wished), verdict == Verdict::Success, end);
            self.judge(endpoint, verdict, end);
            slot.record(signal(&result));
        }
        if timed_out && limit < whole {
            return Err(Failure {
                error: ClientError::DeadlineExceeded { attempts: number },
                class: Class::Final,
            });
        }
        result
    }

    /// A slot of the bulkhead, and when it was had. No circuit that is open is queued for.
    async fn slot(&self, now: Instant) -> Result<(Option<Slot<'_>>, Instant), Failure> {
        let bulkhead = &self.pipeline.bulkhead;
        if let Some(slot) = bulkhead.try_acquire() {
            return Ok((Some(slot), now));
        }
        self.pipeline.look(now)?;
        let slot = bulkhead.acquire(self.deadline).await;
        Ok((slot.ok(), Instant::now()))
    }

    /// Compares the endpoint with its peers, if it has any.
    fn judge(&self, endpoint: &Endpoint, verdict: Verdict, now: Instant) {
        let Pipeline {
            outliers,
            endpoints,
            ..
        } = self.pipeline;
        if endpoints.len() < 2 {
            return;
        }
        let all = endpoints.iter().map(|endpoint| &*endpoint.standing);
        let ok = verdict != Verdict::Failure;
        if let Some(length) = outliers.record(&endpoint.standing, all, ok, now) {
            let endpoint = Arc::clone(&endpoint.name);
            self.upstream
                .observer
                .tell(&Event::Ejected { endpoint, length });
        }
    }

    /// The time left for an attempt, unless it is too little for one.
    fn left(&self, now: Instant) -> Option<Duration> {
        let left = self.deadline.remaining(now);
        left.filter(|left| *left >= FLOOR)
    }

    /// Sends one request and reads its answer within `limit`, under a CLIENT span of its own.
    async fn exchange(
        &self,
        endpoint: &Endpoint,
        number: u32,
        now: Instant,
        limit: Duration,
    ) -> Result<Bytes, Failure> {
        let url = endpoint.url(&self.call.path);
        let mut span = if self.call.unhurried {
            AttemptSpan::none()
        } else {
            let (method, path) = (&self.call.method, &self.call.path);
            AttemptSpan::start(&endpoint.target, method, path, number - 1)
        };
        if let Some(address) = endpoint.location.address {
            span.goes_to(address);
        }
        let request = self.request(url, number, limit, &span);
        let current = span.span().clone();
        let head = answer::head(&self.upstream.injector, endpoint, request, &span);
        let answer = {
            // Pinned where it is made, so that what goes around it does not move it.
            let limit_bytes = self.pipeline.limits.response_bytes;
            let answer = pin!(answer::of(head, limit_bytes, &mut span));
            let answer = if current.is_disabled() {
                Either::Left(answer)
            } else {
                Either::Right(answer.instrument(current))
            };
            tokio::time::timeout_at(now + limit, answer).await
        };
        let answer = answer.unwrap_or_else(|_| {
            Err(Failure {
                error: ClientError::Timeout,
                class: Class::Ambiguous,
            })
        });
        match &answer {
            Ok(answer) => span.answered(answer.status),
            Err(failure) => match failure.error.refused_with() {
                Some(status) => span.answered(status),
                None => span.failed(failure.error.reason()),
            },
        }
        answer.map(|answer| answer.body)
    }
}
