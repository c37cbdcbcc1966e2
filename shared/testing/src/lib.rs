//! What the tests of every service stand on.
//!
//! Everything here is real where it can be: sockets on port 0, databases of their own, tokens with
//! true signatures, spans as they left by OTLP. What is started by a test ends with it, also when
//! the test panics, and leaves nothing behind. Nothing sleeps: waiting is for a condition, with a
//! deadline, and says what it waited for when the deadline passes.
//!
//! | module | what |
//! |---|---|
//! | [`database`] | a fresh database per test, on SQLite or Postgres |
//! | [`postgres`] | a server of the test's own, to stop and to make roles on |
//! | [`browser`] | a Chromium without a window, driven as a person drives it |
//! | [`http`] | a plain HTTP client, raw bytes and event streams |
//! | [`people`] | accounts, courses, enrolments through the public API |
//! | [`peer`] | a peer on a real socket that answers, hangs, resets or talks nonsense as told |
//! | [`wire`] | a wire to a service that loses, breaks and holds back what passes over it |
//! | [`otlp`] | a collector that decodes what arrives and draws each trace as a tree |
//! | [`openapi`] | the description of an API is checked in, complete and true |
//! | [`forgeries`] | access tokens that must not count, refused all alike |
//! | [`identity`] | test users with signed tokens, and tokens that must be refused |
//! | [`smtp`] | a mail server that accepts, refuses, delays and hangs up as told |
//! | [`spawn`](mod@spawn) | a whole service in the test's process, stopped when dropped |
//! | [`timing`] | whether two requests can be told apart by the time they take |
//! | [`process`] | a real binary: ports from its log, killed or terminated at will |
//! | [`seed`] | the seed of a run that is another one each time, to be set again |
//!
//! A dev-dependency only. A kit that cannot do its work stops the test with the reason, so this
//! crate may panic where production code may not.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a broken kit must stop the test with the reason"
)]

pub mod browser;
pub mod database;
pub mod forgeries;
pub mod http;
pub mod identity;
pub mod openapi;
pub mod otlp;
pub mod peer;
pub mod people;
pub mod postgres;
pub mod process;
pub mod seed;
pub mod smtp;
pub mod spawn;
pub mod timing;
pub mod wire;

mod background;
mod journal;
mod socket;

pub use spawn::{TestApp, spawn, spawn_with};

/// How long the kit waits for something that happens within milliseconds on an idle machine.
///
/// Generous, because a loaded build machine must not fail a test; it is spent only by tests that
/// fail anyway.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// Asks again and again, each time with a real request, until `ask` finds what it looks for.
///
/// # Panics
/// When it has not been found within [`PATIENCE`].
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        if let Some(found) = ask().await {
            return found;
        }
        tokio::task::yield_now().await;
    }
    panic!("not {what} within {PATIENCE:?}");
}
