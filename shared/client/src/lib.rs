//! Calls to other services: one line each, dependable and visible.
//!
//! ```no_run
//! # use lyceum_client::{ClientError, CourseClient, Identity, SettingsError, UpstreamSettings};
//! # use lyceum_contracts::ids::UserId;
//! # fn build(course: &UpstreamSettings, identity: &Identity) -> Result<CourseClient, SettingsError> {
//! let courses = CourseClient::new(course, identity)?;   // once, at start-up; clones share it
//! # Ok(courses) }
//! # async fn call(courses: CourseClient, user: UserId) -> Result<(), ClientError> {
//! let mine = courses.enrolments_of(user).await?;
//! # Ok(()) }
//! ```
//!
//! # What comes with the line
//!
//! From the outside in, and each for a reason:
//! 1. an INTERNAL span for the logical call, such as `course.enrolments_of`;
//! 2. a **total deadline**: this upstream's own, or what is left of the request that is being
//!    answered ([`Deadline::current`](lyceum_resilience::deadline::Deadline::current)) less a
//!    margin, whichever is sooner; with less than 5 ms left nothing is sent;
//! 3. **repeats** within a budget. A request that was never sent may always be repeated; one
//!    that may have had its effect only when it is idempotent by method, or carries an
//!    `Idempotency-Key`, the same on every attempt. A `Retry-After` is honoured, never past the
//!    deadline;
//! 4. a look at the endpoint's **breaker**, then a slot of the **bulkhead** (inside the loop, so
//!    that a call waiting to be repeated holds none), then the breaker's permit (last, so that
//!    time in the queue does not count as slowness of the peer);
//! 5. the **attempt** with its timeout inside the permit, so that a hung peer counts as a failing
//!    one: one CLIENT span each, a service token, `traceparent` of that very span, what remains
//!    of the time in `X-Deadline-Ms`, and the body read to its end;
//! 6. **faults on purpose** ([`Upstream::inject`]), last before the wire, so that all of the above
//!    meets them as it would meet the peer's own. Refused in production.
//!
//! # Reading the error
//!
//! [`ClientError`] has one variant per thing a caller can do. A handler that can do without the
//! answer leaves it out and names [`ClientError::reason`] in `degraded`; one that cannot passes
//! on [`ClientError::to_problem`]: 503 with `Retry-After`, 504 or 502, and never a 500.
//!
//! # Watching
//!
//! [`Upstream::breakers`] and [`Upstream::describe`] feed the operations listener. Metrics:
//!
//! | name | kind | what |
//! |---|---|---|
//! | `http.client.request.duration` | histogram, s | every attempt |
//! | `lyceum.client.retries` | counter by `reason` | attempts after the first |
//! | `lyceum.client.hedges` | counter by `winner` | calls asked twice because the first answer was late |
//! | `lyceum.client.ejections` | counter by `endpoint` | endpoints left out beside their peers |
//! | `lyceum.client.cache` | counter by `outcome` | reads that a kept answer may do for |
//! | `lyceum.client.refusals` | counter by `reason` | calls and repeats refused here, unsent |
//! | `lyceum.client.breaker.state` | gauge by `endpoint` | 0 closed, 1 half-open, 2 open |
//! | `lyceum.client.breaker.transitions` | counter by `endpoint`, `to` | changes of state |
//! | `lyceum.client.retry_budget.balance` | gauge | repeats that could be granted now |
//! | `lyceum.client.bulkhead.in_flight` | gauge | attempts under way |
//! | `lyceum.client.bulkhead.limit` | gauge | attempts that may be under way |
//! | `lyceum.client.bulkhead.queued` | gauge | attempts waiting for a slot |
//! | `lyceum.client.faults` | counter by `fault` | attempts hit on purpose |
//! | `lyceum.client.fault.active` | gauge | 1 while attempts fail on purpose |
//!
//! A breaker that changes also logs `breaker.opened`, `breaker.half_opened` or `breaker.closed`;
//! a fault logs `fault.set` and `fault.ended`.
//!
//! # Adding an operation
//!
//! One method in the module of the service it calls. A GET may be repeated as it is; of a POST
//! say which it is: `idempotent` (it only reads) or `keyed` (the peer remembers the key). One
//! that says neither is never sent twice.

mod answer;
mod attempt;
mod cache;
mod call;
mod course;
mod endpoint;
mod error;
mod events;
pub mod faults;
pub mod identity;
mod notification;
mod race;
mod retry;
mod settings;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod upstream;
mod user;

/// The scripted peer of the tests, for what cannot be seen from the outside.
#[cfg(test)]
#[expect(dead_code, reason = "the tests outside use the rest of it")]
#[path = "../tests/calls/peer.rs"]
mod peer;

pub use cache::{CacheSettings, Lookup, Reading};
pub use call::{CachedCall, Call};
pub use course::CourseClient;
pub use endpoint::BreakerReport;
pub use error::{ClientError, Malformation};
pub use events::Event;
pub use identity::{Identity, ServiceAuthSettings, ServiceName};
pub use notification::NotificationClient;
pub use settings::{SettingsError, UpstreamSettings};
pub use upstream::Upstream;
pub use user::UserClient;
