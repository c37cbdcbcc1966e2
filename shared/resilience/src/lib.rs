//! The parts that keep one slow or dead peer from taking its callers down.
//!
//! Each part is a small value with one question to answer. None knows HTTP, none reads the clock
//! or the dice by itself where a decision depends on them: `now` and the generator are arguments,
//! so tests neither sleep nor flake; what waits does so on tokio's clock, which a test can pause.
//! Decisions on the happy path take no lock and allocate nothing.
//!
//! | part | the question it answers |
//! |---|---|
//! | [`deadline::Deadline`] | how long is the answer still of use to whoever asked? |
//! | [`breaker::Breaker`] | is this peer worth a try, or would the call only add to its trouble? |
//! | [`budget::RetryBudget`] | may one more call be repeated, or are repeats already a tenth of the load? |
//! | [`backoff::Backoff`] | how long to wait before the repeat? |
//! | [`bulkhead::Bulkhead`] | are there too many calls on their way already? |
//! | [`hedge::Hedge`] | how late is so late that it is better to ask a second time? |
//! | [`balance::choose`] | which of several endpoints is asked? |
//! | [`outlier::Outliers`] | which of them fails so much more than its peers that it is left out? |
//! | [`faults::Faults`] | is this attempt to fail on purpose, to see what the rest is worth? |
//!
//! # Putting them together
//!
//! The order matters more than the parts. From the outside in: a total deadline; a loop of
//! attempts, each repeat paid from the budget; per attempt a look at the breaker, a slot of the
//! bulkhead, a permit of the breaker; and the timeout of the attempt *inside* the permit, so that
//! a hung call counts as a failure.
//!
//! ```
//! use std::time::Duration;
//! use lyceum_resilience::breaker::{Breaker, BreakerSettings, Verdict};
//! use lyceum_resilience::bulkhead::{Bulkhead, BulkheadSettings};
//! use lyceum_resilience::deadline::{Deadline, Instant};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let breaker = Breaker::new(&BreakerSettings::default(), Instant::now(), fastrand::u64(..))?;
//! let bulkhead = Bulkhead::new(&BulkheadSettings::default())?;
//! let deadline = Deadline::after(Duration::from_secs(5));
//!
//! let _slot = bulkhead.acquire(deadline).await?;          // `Full`: too many already
//! let permit = breaker.acquire(Instant::now())?;          // `Refused`: the peer is resting
//! let answer = tokio::time::timeout(Duration::from_secs(2), async { Ok::<_, ()>(42) }).await;
//! permit.record(
//!     if matches!(answer, Ok(Ok(_))) { Verdict::Success } else { Verdict::Failure },
//!     Instant::now(),
//! );
//! # Ok(())
//! # }
//! ```
//!
//! A permit that is dropped without a verdict, because its caller went away, says nothing about
//! the peer and changes nothing, unless the call had taken so long by then that the peer hangs.
//! `lyceum-client` composes the parts for HTTP.
//!
//! Besides, [`concurrency`] does the same work for many things, a few at a time. The feature
//! `testing` adds a module of that name: a clock moved by hand and dice that repeat.

pub mod backoff;
pub mod balance;
pub mod breaker;
pub mod budget;
pub mod bulkhead;
pub mod concurrency;
pub mod deadline;
pub mod faults;
pub mod hedge;
pub mod outlier;
mod settings;
mod sync;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod window;

pub use settings::InvalidSetting;

/// Milliseconds from `origin` to `now`; zero when `now` is earlier.
fn millis_between(origin: deadline::Instant, now: deadline::Instant) -> u64 {
    let elapsed = now.saturating_duration_since(origin);
    elapsed.as_secs().saturating_mul(1000) + u64::from(elapsed.subsec_millis())
}
