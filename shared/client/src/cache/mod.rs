//! Answers kept for a while: a fresh one is given without asking, and an old one stands in for a
//! peer that fails (RFC 5861, `stale-if-error`).
//!
//! Of many callers who want the same answer at once, one asks and the others wait for what it
//! hears. The store and the waiting are moka's; what is fresh, what may stand in, and for which
//! failures, is decided here, by a time that a test can hold. One upstream calls with one identity,
//! so the path says all there is to say about an answer; another upstream has a cache of its own.

mod settings;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use lyceum_resilience::InvalidSetting;
use lyceum_resilience::deadline::{Deadline, Instant};

pub use self::settings::CacheSettings;
use crate::{ClientError, Malformation};

/// An answer, and how old it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading<T> {
    /// What the peer said.
    pub value: T,
    /// How long ago it said so; zero when it was asked just now. The value of an `Age` header.
    pub age: Duration,
    /// Whether it is older than it should be, because the peer cannot be asked.
    pub stale: bool,
    /// When the peer said so, if that was for an earlier call: the same at every look, as `age` is
    /// not.
    pub kept_since: Option<SystemTime>,
}

/// What a read that a kept answer may do for does with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Freshness {
    /// Takes it while it is fresh.
    #[default]
    Kept,
    /// Asks the peer all the same. Of several who do so at once, one asks for all; and when the
    /// peer fails, the kept answer stands in as ever.
    Anew,
}

impl<T> Reading<T> {
    /// What was heard just now.
    pub(crate) const fn new(value: T) -> Self {
        Self {
            value,
            age: Duration::ZERO,
            stale: false,
            kept_since: None,
        }
    }

    /// The same with a part of its value, or something made of it.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reading<U> {
        let Self {
            value,
            age,
            stale,
            kept_since,
        } = self;
        Reading {
            value: change(value),
            age,
            stale,
            kept_since,
        }
    }
}

/// How an answer was come by: the value of `lyceum.cache` of the call's span, and of the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookup {
    /// Given without asking.
    Fresh,
    /// The peer was asked.
    Asked,
    /// Somebody else was asking already, and shared what it heard.
    Shared,
    /// The peer failed; an old answer stands in.
    Stale,
    /// The peer failed, and there is none that could.
    Failed,
}

impl Lookup {
    /// One word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Asked => "asked",
            Self::Shared => "shared",
            Self::Stale => "stale",
            Self::Failed => "failed",
        }
    }
}

/// A good answer and when it was heard.
#[derive(Debug, Clone)]
struct Kept {
    body: Bytes,
    at: Instant,
    since: SystemTime,
}

/// What the last time of asking brought.
#[derive(Debug)]
enum Outcome {
    Good(Kept),
    /// Nothing, but there may be the last good answer of an earlier time.
    Failed(ClientError, Option<Kept>),
}

#[derive(Debug)]
pub(crate) struct Cache {
    fresh: Duration,
    stale: Duration,
    outcomes: moka::future::Cache<String, Arc<Outcome>>,
}

impl Cache {
    /// A cache, unless the settings say there is to be none.
    pub(crate) fn new(settings: &CacheSettings) -> Result<Option<Self>, InvalidSetting> {
        settings.check()?;
        if settings.fresh_ms == 0 {
            return Ok(None);
        }
        let fresh = Duration::from_millis(settings.fresh_ms);
        let stale = Duration::from_millis(settings.stale_if_error_ms);
        let outcomes = moka::future::Cache::builder()
            .max_capacity(settings.max_bytes)
            .weigher(|path: &String, outcome: &Arc<Outcome>| weight(path, outcome))
            // Housekeeping alone: what counts is decided at every look.
            .time_to_live(fresh + stale)
            .build();
        Ok(Some(Self {
            fresh,
            stale,
            outcomes,
        }))
    }

    /// The answer at `path`: kept, or what `ask` hears, which ends by `deadline` itself. So does a
    /// wait for somebody else's asking. When that somebody ran out of time, whoever has `patience`
    /// left asks for himself; those with less would only hand a hopeless try on to each other.
    pub(crate) async fn read(
        &self,
        path: &str,
        freshness: Freshness,
        deadline: Deadline,
        patience: Duration,
        ask: impl AsyncFn() -> Result<Bytes, ClientError>,
    ) -> Result<(Reading<Bytes>, Lookup), ClientError> {
        loop {
            let mut asked = false;
            let began = Instant::now();
            let look = self.outcomes.entry_by_ref(path).or_insert_with_if(
                async {
                    asked = true;
                    let before = self.outcomes.get(path).await;
                    Arc::new(Outcome::new(before.as_deref(), ask().await))
                },
                |outcome| !self.will_do(outcome, freshness, began),
            );
            let looked = tokio::time::timeout_at(deadline.instant(), look).await;
            let outcome = if let Ok(entry) = looked {
                entry.into_value()
            } else {
                let failure = Err(ClientError::DeadlineExceeded { attempts: 0 });
                let before = self.outcomes.get(path).await;
                Arc::new(Outcome::new(before.as_deref(), failure))
            };
            let now = Instant::now();
            match &*outcome {
                Outcome::Good(kept) => return Ok(kept.reading(began, now, asked)),
                Outcome::Failed(ClientError::DeadlineExceeded { .. }, _)
                    if !asked && deadline.remaining(now) >= Some(patience) => {}
                Outcome::Failed(failure, before) => {
                    return self.stand_in(before.as_ref(), failure, now);
                }
            }
        }
    }

    fn will_do(&self, outcome: &Outcome, freshness: Freshness, now: Instant) -> bool {
        match (outcome, freshness) {
            (Outcome::Good(kept), Freshness::Kept) => kept.age(now) < self.fresh,
            (Outcome::Good(kept), Freshness::Anew) => kept.at >= now,
            (Outcome::Failed(..), _) => false,
        }
    }

    /// The old answer in place of a peer that cannot be asked, if it is not too old.
    fn stand_in(
        &self,
        before: Option<&Kept>,
        failure: &ClientError,
        now: Instant,
    ) -> Result<(Reading<Bytes>, Lookup), ClientError> {
        let usable = |kept: &&Kept| is_outage(failure) && kept.age(now) < self.fresh + self.stale;
        let kept = before.filter(usable).ok_or_else(|| failure.clone())?;
        let reading = Reading {
            value: kept.body.clone(),
            age: kept.age(now),
            stale: true,
            kept_since: Some(kept.since),
        };
        Ok((reading, Lookup::Stale))
    }
}

impl Outcome {
    fn new(before: Option<&Self>, answer: Result<Bytes, ClientError>) -> Self {
        let failure = match answer {
            Ok(body) => {
                return Self::Good(Kept {
                    body,
                    at: Instant::now(),
                    since: SystemTime::now(),
                });
            }
            Err(failure) => failure,
        };
        let kept = before.and_then(Self::kept).cloned();
        Self::Failed(failure, kept)
    }

    fn kept(&self) -> Option<&Kept> {
        match self {
            Self::Good(kept) => Some(kept),
            Self::Failed(_, kept) => kept.as_ref(),
        }
    }
}

impl Kept {
    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.at)
    }

    /// As it looks to a caller who began to look at `began`.
    fn reading(&self, began: Instant, now: Instant, asked: bool) -> (Reading<Bytes>, Lookup) {
        let lookup = if asked {
            Lookup::Asked
        } else if self.at >= began {
            Lookup::Shared
        } else {
            Lookup::Fresh
        };
        let reading = Reading {
            value: self.body.clone(),
            age: self.age(now),
            stale: false,
            kept_since: (lookup == Lookup::Fresh).then_some(self.since),
        };
        (reading, lookup)
    }
}

/// Whether the peer is out of order, rather than of another opinion.
fn is_outage(failure: &ClientError) -> bool {
    match failure {
        ClientError::Refused { problem, .. } => problem.status >= 500 || problem.status == 429,
        ClientError::Malformed(malformation) => *malformation == Malformation::NotHttp,
        ClientError::CircuitOpen { .. }
        | ClientError::Overloaded
        | ClientError::DeadlineExceeded { .. }
        | ClientError::Unreachable { .. }
        | ClientError::Timeout => true,
    }
}

/// Bytes, roughly: moka adds what it needs itself.
fn weight(path: &str, outcome: &Outcome) -> u32 {
    let body = outcome.kept().map_or(0, |kept| kept.body.len());
    u32::try_from(path.len() + body + size_of::<Outcome>()).unwrap_or(u32::MAX)
}
