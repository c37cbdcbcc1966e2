//! Calls to other services: one line each, dependable and visible.
//!
//! # Calling a peer
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
//! A new operation is one method in the module of the service it calls. Say what kind it is:
//!
//! | kind | call | sent again after a failure |
//! |---|---|---|
//! | read | [`Upstream::get`] | yes |
//! | read that a kept answer may do for | [`Upstream::get_cached`] | yes |
//! | POST that only reads | [`Upstream::post`]`.`[`idempotent()`](Call::idempotent) | yes |
//! | POST whose effect the peer knows by a key, or by an id in it | [`Upstream::post`]`.`[`keyed()`](Call::keyed) | yes, under the same key |
//! | any other POST | [`Upstream::post`] | only if it was never sent |
//!
//! # What comes with the line
//!
//! From the outside in, and each for a reason (`docs/adr/0006`):
//! 1. an INTERNAL span for the logical call, such as `course.enrolments_of`;
//! 2. **cache and single flight**, where the operation allows it and the settings keep answers: a
//!    fresh one is given unasked, of many callers one asks, and an old one stands in for a peer
//!    that fails. [`Reading`] tells how old it is, and [`Freshness::Anew`] asks all the same;
//! 3. a **total deadline**: this upstream's own, or what is left of the request that is being
//!    answered ([`Deadline::current`](lyceum_resilience::deadline::Deadline::current)) less a
//!    margin, whichever is sooner; with less than 5 ms left nothing is sent;
//! 4. **repeats** within a budget, by what became of the attempt: never sent (any call), ambiguous
//!    (only what may happen twice), told to wait (after its `Retry-After`, never past the
//!    deadline), never. Or a **hedge**: a second attempt for the slowest few, from the same budget;
//! 5. an **endpoint**: the quicker of two, where there are several, and not the one just tried;
//! 6. a look at its **breaker**, then a slot of the **bulkhead** (inside the loop, so that a call
//!    waiting to be repeated holds none), then the breaker's permit (last, so that time in the
//!    queue does not count as slowness of the peer);
//! 7. the **attempt** with its timeout inside the permit, so that a hung peer counts as a failing
//!    one: one CLIENT span each, a service token, `traceparent`, what remains of the time in
//!    `X-Deadline-Ms`, and the body read to its end;
//! 8. **faults on purpose** ([`Upstream::inject`]), last before the wire, so that all of the above
//!    meets them as it would meet the peer's own. Refused in production.
//!
//! # Reading an error
//!
//! [`ClientError`] has one variant per thing a caller can do:
//!
//! | variant | was it sent? | do |
//! |---|---|---|
//! | [`CircuitOpen`](ClientError::CircuitOpen), [`Overloaded`](ClientError::Overloaded) | no | leave the part out, or say 503 with `Retry-After` |
//! | [`DeadlineExceeded`](ClientError::DeadlineExceeded) | `attempts` says | 504; nobody waits any more |
//! | [`Unreachable`](ClientError::Unreachable) | `sent` says | 502 |
//! | [`Timeout`](ClientError::Timeout) | yes | 504; it may have had its effect |
//! | [`Refused`](ClientError::Refused) | yes | read the peer's problem, if it is one you expect |
//! | [`Malformed`](ClientError::Malformed) | yes | 502; the two of you disagree |
//!
//! A handler that can do without the answer leaves it out and names [`ClientError::reason`] in
//! `degraded`; one that cannot passes on [`ClientError::to_problem`], which is never a 500.
//!
//! # Choosing settings
//!
//! Every default of [`UpstreamSettings`] stands in `docs/OPERATIONS.md` with the source of its
//! number. Start with them. Then:
//! - a peer that is slow by nature: raise `total_timeout_ms` first, then `attempt_timeout_ms`, and
//!   `breaker.slow_call_ms` with it;
//! - figures that may be a little old: `cache.fresh_ms`;
//! - a tail that hurts, on reads: `hedge.max_extra_percent = 2`;
//! - several replicas: nothing; their addresses are found by the name, or list the URLs in
//!   `base_url`;
//! - a peer that drowns before it fails: `bulkhead.adaptive.enabled = true`.
//!
//! What contradicts itself is refused at the start, and when it is changed while the service runs
//! ([`Upstream::reconfigure`]), by the name of the key. [`Upstream::describe`] says in words what
//! is in force.
//!
//! # Testing
//!
//! With the feature `testing`, `testing::Script` is a peer without a socket: tests script its
//! answers, pause the time, seed the dice and read the [`Event`]s. Nothing else is replaced.
//!
//! ```no_run
//! # #[cfg(feature = "testing")]
//! # async fn test(user: lyceum_contracts::ids::UserId) {
//! # use lyceum_client::testing::{Act, Script};
//! # use lyceum_client::{CourseClient, UpstreamSettings};
//! let stats = serde_json::json!({"enrolled": 3, "dropped": 1, "teaching": 0});
//! let peer = Script::new([Act::status(503), Act::json(200, &stats)]);
//! let upstream = peer.upstream("course", &UpstreamSettings::default()).unwrap();
//! let courses = CourseClient::from(upstream);
//! assert_eq!(courses.stats_of(user).await.unwrap().value.enrolled, 3);
//! assert_eq!(peer.sent().len(), 2);            // it was asked again
//! # }
//! ```
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
//! an endpoint left out `endpoint.ejected`; other addresses `upstream.endpoints`; a fault
//! `fault.set` and `fault.ended`.
//!
//! # Hosts that are no peers
//!
//! What people have named, such as the targets of webhooks, is sent to by [`outside`]: without any of
//! the above, and within limits of its own.

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
pub mod outside;
mod race;
mod request;
mod retry;
mod settings;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod upstream;
mod user;
mod walk;

pub use cache::{CacheSettings, Freshness, Lookup, Reading};
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
