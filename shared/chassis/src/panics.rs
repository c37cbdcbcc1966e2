//! A panic is one log line with its place, inside the trace it happened in.

use std::panic::{self, PanicHookInfo};

/// Replaces the standard hook, which writes to standard error and knows no trace.
///
/// The payload stays out: it may hold what a request contained. A backtrace, when `RUST_BACKTRACE`
/// asks for one, is for the developer who did.
pub(crate) fn log() {
    let standard = panic::take_hook();
    panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(event = "panic", place, "panicked");
        if asked_for_backtrace() {
            standard(info);
        }
    }));
}

#[expect(
    clippy::disallowed_methods,
    reason = "the variable is the standard library's, not a setting of ours"
)]
fn asked_for_backtrace() -> bool {
    std::env::var("RUST_BACKTRACE").is_ok_and(|value| value != "0")
}
