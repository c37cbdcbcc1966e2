//! Webhooks: what happened, told to other people's machines as the Standard Webhooks have it.
//!
//! An admin registers a receiver: an address and the kinds of events it is told of. An event that
//! a receiver wants becomes a row in the transaction that takes the event in
//! ([`Webhooks::enqueue`]), and a [`Courier`] of any replica sends it until it is accepted.
//! Receivers are for admins alone: a message tells of anybody.
//!
//! # Promises
//!
//! - **At least once, and known as one.** `webhook-id` is made from the event. It is the same at
//!   each attempt and when an admin sends it again, so a receiver that remembers it acts once.
//! - **Signed.** HMAC-SHA256 with a secret of the receiver's own, shown once. After a rotation the
//!   old one signs too, for `webhooks.old_secret_hours`.
//! - **Out of the network, never into it.** Addresses are looked at after the name is looked up, in
//!   the moment of connecting; redirects are not followed; nothing of an answer is kept but its
//!   status ([`lyceum_client::outside`]).
//! - **Nobody waits for a slow one.** At most `webhooks.per_target` messages are on their way to one
//!   host, and no more are claimed for it; a host that fails is left alone by a breaker of its own.
//! - **It ends.** What fails is tried again after the pauses of [`schedule`](crate::schedule), then
//!   it is dead, and listed. A receiver that answers 410, or where everything has failed for
//!   `webhooks.disable_after_hours`, is disabled, and what waits for it is cancelled.

mod commands;
pub(crate) mod deliveries;
mod domain;
pub(crate) mod handlers;
mod requests;
mod secret;
mod settings;
mod store;

pub(crate) use self::commands::{WebhookError, Webhooks};
pub(crate) use self::deliveries::{Courier, Message, erase};
pub(crate) use self::domain::kinds;
pub(crate) use self::secret::SigningSecret;
pub use self::settings::WebhooksSettings;
