//! Tickets: how a browser, which can send no header with an `EventSource` or a `WebSocket`, says
//! who opens the stream.
//!
//! A ticket stands for the access token it was bought with, for half a minute and one use, so that
//! one which is found in somebody's log of addresses opens nothing. Only its digest is kept.

mod domain;
pub(crate) mod handlers;
mod listener;
mod retention;
mod store;

pub(crate) use listener::Listener;
pub(crate) use retention::pruner;
pub(crate) use store::erase;
