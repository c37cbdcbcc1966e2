//! Asking a second time because the first answer is late, and taking whichever is of use first.
//!
//! Only what may happen twice is asked twice, and the second attempt is a repeat like any other:
//! paid from the budget, counted among the attempts, and to another endpoint where there is one.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use lyceum_resilience::deadline::Instant;

use crate::ClientError;
use crate::attempt::{Class, Failure};
use crate::events::Event;
use crate::retry::{Departure, Repeat, Sending};

/// How two attempts at once ended.
pub(crate) struct Race {
    pub(crate) result: Result<Bytes, Failure>,
    /// How many there were: the second may not have been needed, or not been granted.
    pub(crate) attempts: u32,
}

impl Sending<'_> {
    /// How long to wait for a first attempt before a second one; `None` when there is to be none.
    pub(crate) fn hedge_delay(&self, number: u32, now: Instant) -> Option<Duration> {
        let may = number == 1 && self.call.repeatable && self.pipeline.limits.attempts > 1;
        may.then(|| self.pipeline.hedge.delay(now)).flatten()
    }

    /// The first attempt, and a second beside it if the first takes longer than `delay`.
    pub(crate) async fn race(&self, delay: Duration, now: Instant) -> Race {
        let mut first = pin!(self.attempt(1, now, None));
        let alone = |result| Race {
            result,
            attempts: 1,
        };
        // Late is counted from when it went out: time in a queue of our own is not the peer's.
        let mut until = now + delay;
        let asked_first = loop {
            tokio::select! {
                biased;
                result = &mut first => return alone(result),
                () = tokio::time::sleep_until(until) => {}
            }
            match self.progress.last() {
                Some(departure) if departure.at + delay <= until => break departure,
                Some(departure) => until = departure.at + delay,
                None => return alone(first.await),
            }
        };
        let Some(repeat) = self.hedge(delay) else {
            return alone(first.await);
        };
        let mut second = pin!(self.attempt(2, Instant::now(), Some(repeat)));
        let (mut result, second_won) = tokio::select! {
            biased;
            result = &mut first => match decided(result) {
                Ok(result) => {
                    if let Some(second) = self.second() {
                        self.gave_up(second.at);
                    }
                    (result, false)
                }
                Err(failure) => match second.await {
                    Err(second) if second.is_refusal() => return alone(Err(failure)),
                    result => (or(result, failure), true),
                },
            },
            result = &mut second => match decided(result) {
                Ok(result) => {
                    self.gave_up(asked_first.at);
                    (result, true)
                }
                Err(failure) if failure.is_refusal() => return alone(first.await),
                Err(failure) => (or(first.await, failure), false),
            },
        };
        if self.second().is_none() {
            return alone(result);
        }
        self.upstream.observer.tell(&Event::Hedged { second_won });
        if let Err(failure) = &mut result
            && let ClientError::DeadlineExceeded { attempts } = &mut failure.error
        {
            *attempts = 2;
        }
        Race {
            result,
            attempts: 2,
        }
    }

    /// The second request, if one went out: it may have waited for a slot in vain.
    fn second(&self) -> Option<Departure> {
        self.progress.last().filter(|_| self.progress.sent() > 1)
    }

    /// A request that went out `at` is given up for the other's answer. What it had taken until
    /// then is part of the picture, or only quick ones would be seen.
    fn gave_up(&self, at: Instant) {
        let end = Instant::now();
        self.pipeline.hedge.record(end - at, end);
    }

    /// The right to a second attempt, from now.
    fn hedge(&self, delay: Duration) -> Option<Repeat<'_>> {
        let Some(reservation) = self.pipeline.budget.reserve(Instant::now()) else {
            let reason = "retry_budget";
            self.upstream.observer.tell(&Event::Refused { reason });
            return None;
        };
        Some(Repeat {
            reservation,
            reason: "late",
            wait: delay,
        })
    }
}

/// What ends the race: an answer, or a failure that the other attempt would only repeat.
fn decided(result: Result<Bytes, Failure>) -> Result<Result<Bytes, Failure>, Failure> {
    match result {
        Err(failure) if !matches!(failure.class, Class::Final) => Err(failure),
        result => Ok(result),
    }
}

/// What the `other` attempt brought; of two failures the one of which the peer may know.
fn or(other: Result<Bytes, Failure>, failure: Failure) -> Result<Bytes, Failure> {
    match other {
        Err(other) if matches!(other.class, Class::NeverSent) => Err(failure),
        other => other,
    }
}
