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
        tracing::error!(event = "process.panicked", place, "panicked");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_one_line_in_its_trace_and_its_payload_is_in_none() {
        let captured = lyceum_telemetry::testing::capture();
        let standard = panic::take_hook();
        log();
        let trace = tracing::info_span!("request").in_scope(|| {
            let ended = panic::catch_unwind(|| panic!("the secret recipe burns"));
            assert!(ended.is_err());
            lyceum_telemetry::context::trace_id().unwrap()
        });
        panic::set_hook(standard);

        let lines = captured.lines_of(&trace);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0]["event"], "process.panicked");
        assert!(lines[0]["place"].as_str().unwrap().starts_with(file!()));
        assert!(!captured.lines().concat().contains("recipe"));
    }
}
