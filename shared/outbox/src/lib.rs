//! Events that are told if, and only if, they are true.
//!
//! A command writes the event beside the rows it is about, in one transaction:
//!
//! ```ignore
//! let transaction = database.begin_write().await?;
//! let enrolment = store::insert(&transaction, course, user, now).await?;
//! lyceum_outbox::push(&transaction, &Event::EnrolmentCreated { .. }).await?;
//! transaction.commit().await?;
//! waker.wake();
//! ```
//!
//! A [`Relay`] posts what is committed to one peer, in batches, for as long as it takes. An event
//! that concerns several (the table is in `peer`) has a row for each, under one `event_id`; each peer
//! has a relay, so that one which is away holds up no other.
//!
//! # Promises
//!
//! - **At least once.** A row leaves the table when the peer has said yes to it. Killed between
//!   the peer's yes and the deletion, the relay tells it again; the peer knows it by `event_id`.
//! - **Nothing blocks on the peer.** No transaction is held while it is asked: a row is claimed
//!   by moving its `available_at` past a lease, and is anybody's again when the lease ends.
//! - **Oldest first.** One relay delivers in the order the rows were numbered, also after
//!   failures: while the peer is unavailable the relay waits, the rows do not overtake one
//!   another. Order is not promised between transactions that commit at the same time, between
//!   several relays on one database, nor after a relay was killed or lost its database.
//! - **A poison message hurts itself only.** A batch the peer refuses for what it says (400, 409,
//!   413, 422) is halved until the culprit stands alone; that one moves to `outbox_dead` with the
//!   reason, the others go on. Everything else — 5xx, no answer, no rights, no such route — is the
//!   peer's condition, and is retried for ever. A row this release does not know waits an hour
//!   for a relay of the next one before it is moved.
//! - **One story.** The row keeps the `traceparent` of the request that caused it. The receiver
//!   continues that trace; the relay's own span is a root of its own that links to each.
//!
//! # In a service
//!
//! Settings: a section `[outbox]` of type [`OutboxSettings`]. Migrations: append [`migrations`].
//! Start-up: [`Relay::new`] once for each peer, `tasks.spawn("outbox relay", …)` with [`Relay::run`],
//! and [`Relay::waker`] into the state of those who commit events. A service without a relay for a
//! destination of its events keeps their rows for ever.
//!
//! # Watching
//!
//! Each metric names its `peer`.
//!
//! | metric | kind | what |
//! |---|---|---|
//! | `lyceum.outbox.pending` | gauge | rows that wait |
//! | `lyceum.outbox.oldest_age` | gauge, s | age of the oldest of them; alert on this |
//! | `lyceum.outbox.delivered` | counter | events the peer said yes to |
//! | `lyceum.outbox.failures` | counter by `reason` | batches that could not be delivered |
//! | `lyceum.outbox.dead` | counter | events moved to `outbox_dead`; alert on any |
//!
//! Log events: `outbox.delivered` (debug), `outbox.peer_unavailable` (warn, once per outage),
//! `outbox.recovered` (info), `outbox.dead` (error), `outbox.database_failed` (error).

mod delivery;
mod entity;
pub mod intake;
mod metrics;
mod migration;
mod peer;
mod push;
mod relay;
mod settings;
mod store;

pub use delivery::Outcome;
pub use migration::migrations;
pub use peer::Peer;
pub use push::{push, push_all};
pub use relay::{Pass, Relay, Waker};
pub use settings::OutboxSettings;
