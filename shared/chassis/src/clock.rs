//! The one place that reads the wall clock.

use time::OffsetDateTime;

/// Now, in UTC, cut to microseconds: what both databases keep, so that a value read back equals
/// the value written.
#[expect(clippy::disallowed_methods, reason = "the edge where time enters")]
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    let micros = now.nanosecond() / 1_000 * 1_000;
    now.replace_nanosecond(micros).unwrap_or(now)
}
