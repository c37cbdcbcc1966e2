//! The running stack, as its tests see it: containers, load, the trace viewer.
//!
//! Nothing here starts the stack; `make stack-test` does, then runs `tests/stack`, then takes it
//! down again. Every test may break what it likes and begins with a stack that is whole again.
//!
//! | module | what |
//! |---|---|
//! | [`stack`] | `docker compose` for one project |
//! | [`container`] | what one container is |
//! | [`command`] | commands that end |
//! | [`viewer`] | traces as the viewer's own API tells them |
//! | [`load`] | callers without a pause, and what they saw |
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a broken kit must stop the test with the reason"
)]

pub mod command;
pub mod container;
pub mod load;
pub mod stack;
pub mod viewer;

use std::time::Duration;

use tokio::time::Instant;

pub use stack::Stack;

/// How long the stack is given for what takes it seconds: a container to stop or start, a breaker
/// to close, on a machine with two busy cores.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Between two questions; each is a request or a command of its own.
const PAUSE: Duration = Duration::from_millis(100);

/// Asks again and again until `ask` finds what it looks for.
///
/// # Panics
/// When it has not been found within [`PATIENCE`].
pub async fn eventually<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    let found = within_patience(ask).await;
    found.unwrap_or_else(|| panic!("not {what} within {PATIENCE:?}"))
}

/// The same for who wants to say what is missing in words of its own.
pub(crate) async fn within_patience<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    let mut tick = tokio::time::interval(PAUSE);
    while Instant::now() < deadline {
        tick.tick().await;
        if let Some(found) = ask().await {
            return Some(found);
        }
    }
    None
}
