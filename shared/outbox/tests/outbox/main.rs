//! The outbox on a real database, telling a scripted peer on a real socket.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a broken kit stops the test, and a test ends the tasks it spawns"
)]

mod delivery;
mod failures;
mod kit;
mod running;
mod several;
mod tracing_it;
