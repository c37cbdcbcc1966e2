//! The stream on a WebSocket (RFC 6455).
//!
//! The client begins with `hello`, the server answers `welcome` and tells each notification in
//! order. The conversation is a state machine without clock or wire (`conversation`); around it
//! are the messages (`message`), the frames (`frames`), and the one who listens, tells and waits
//! (`connection`). Like a stream of Server-Sent Events it is the body of a response, polled by the
//! server when there is room: no task, no channel, nothing of its own while idle but timers.
//!
//! # How it ends
//!
//! As `closing` has it; below 4500 a client comes back by itself and says what it has seen last,
//! from 4500 on, and at 1002 to 1009, it would meet the same end again until somebody mends it.
//! The README has the table for those who write clients.

mod closing;
mod connection;
mod conversation;
pub(super) mod frames;
pub(crate) mod message;
mod window;

pub(super) use connection::Connection;
pub(crate) use conversation::Patience;
