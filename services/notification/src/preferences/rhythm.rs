//! When letters that can wait may come: outside of somebody's quiet hours, or gathered to a
//! digest. Pure.

use std::time::Duration;

use lyceum_contracts::preferences::Digest;
use time::OffsetDateTime;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// When a daily digest comes, on its reader's clock: before the day's work, as a newspaper does.
const MORNING: i64 = 8 * HOUR;

/// How somebody wants letters that can wait; the default is at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rhythm {
    pub(crate) digest: Digest,
    pub(crate) quiet: Option<QuietHours>,
    /// How far the reader's clock is ahead of UTC.
    pub(crate) utc_offset_minutes: i64,
}

/// The part of every day in which somebody wants no letters that can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QuietHours {
    /// Minutes after midnight.
    pub(crate) from: i64,
    /// The same; before `from`, the hours go on over midnight.
    pub(crate) until: i64,
}

impl QuietHours {
    /// How many seconds they go on at this second of the day; 0 outside of them.
    const fn left_at(self, second: i64) -> i64 {
        let length = ((self.until - self.from) * MINUTE).rem_euclid(DAY);
        let gone = (second - self.from * MINUTE).rem_euclid(DAY);
        if gone < length { length - gone } else { 0 }
    }
}

impl Rhythm {
    /// How long a letter that was caused then has to wait yet, if it does.
    pub(crate) fn wait(&self, caused_at: OffsetDateTime, now: OffsetDateTime) -> Option<Duration> {
        let ahead = self.utc_offset_minutes * MINUTE;
        let now = now.unix_timestamp() + ahead;
        let caused_at = caused_at.unix_timestamp() + ahead;
        let moment = match self.digest {
            Digest::Off => now,
            Digest::Hourly => next(caused_at, HOUR, 0).max(now),
            Digest::Daily => next(caused_at, DAY, MORNING).max(now),
        };
        let quiet = self.quiet.map_or(0, |quiet| quiet.left_at(moment));
        let wait = u64::try_from(moment + quiet - now).unwrap_or(0);
        (wait > 0).then(|| Duration::from_secs(wait))
    }
}

/// The first moment after `moment` that is `phase` beyond a whole `period`.
const fn next(moment: i64, period: i64, phase: i64) -> i64 {
    ((moment - phase).div_euclid(period) + 1) * period + phase
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const NIGHT: QuietHours = QuietHours {
        from: 22 * 60,
        until: 7 * 60,
    };

    fn waits_until(rhythm: Rhythm, caused_at: OffsetDateTime, now: OffsetDateTime) -> String {
        let end = now + rhythm.wait(caused_at, now).unwrap_or_default();
        end.time().to_string()
    }

    #[test]
    fn quiet_hours_are_on_the_clock_of_the_reader_and_go_over_midnight() {
        let berlin = Rhythm {
            quiet: Some(NIGHT),
            utc_offset_minutes: 60,
            ..Rhythm::default()
        };
        for (now, end) in [
            (datetime!(2026-01-02 20:59:59 UTC), "20:59:59.0"),
            (datetime!(2026-01-02 21:00 UTC), "6:00:00.0"),
            (datetime!(2026-01-02 23:30:15 UTC), "6:00:00.0"),
            (datetime!(2026-01-03 05:59:59 UTC), "6:00:00.0"),
            (datetime!(2026-01-03 06:00 UTC), "6:00:00.0"),
        ] {
            assert_eq!(waits_until(berlin, now, now), end, "{now}");
        }
        let noon = QuietHours {
            from: 12 * 60,
            until: 13 * 60,
        };
        let quiet = Rhythm {
            quiet: Some(noon),
            ..Rhythm::default()
        };
        let now = datetime!(2026-01-02 12:15 UTC);
        assert_eq!(waits_until(quiet, now, now), "13:00:00.0");
    }

    #[test]
    fn a_digest_comes_at_the_next_hour_or_morning_and_after_quiet_hours() {
        let caused_at = datetime!(2026-01-02 05:20 UTC);
        let with = |digest, quiet| Rhythm {
            digest,
            quiet,
            utc_offset_minutes: 30,
        };
        let hourly = with(Digest::Hourly, None);
        assert_eq!(waits_until(hourly, caused_at, caused_at), "5:30:00.0");
        let hourly = with(Digest::Hourly, Some(NIGHT));
        assert_eq!(waits_until(hourly, caused_at, caused_at), "6:30:00.0");
        let daily = with(Digest::Daily, Some(NIGHT));
        assert_eq!(waits_until(daily, caused_at, caused_at), "7:30:00.0");
        // Its time has come, whenever that is noticed.
        let late = datetime!(2026-01-02 15:00 UTC);
        assert_eq!(daily.wait(caused_at, late), None);
    }

    proptest! {
        #[test]
        fn nobody_waits_for_longer_than_a_day_and_a_night(
            caused_at in 0_i64..4_000_000_000,
            later in 0_i64..200_000,
            from in 0_i64..1_440,
            until in 0_i64..1_440,
            utc_offset_minutes in -840_i64..=840,
            digest in prop::sample::select(Digest::ALL),
        ) {
            let moment = |second| OffsetDateTime::from_unix_timestamp(second).unwrap();
            let quiet = Some(QuietHours { from, until });
            let rhythm = Rhythm { digest, quiet, utc_offset_minutes };
            let now = moment(caused_at + later);
            if let Some(wait) = rhythm.wait(moment(caused_at), now) {
                prop_assert!(wait < Duration::from_hours(48));
                // Then its time has come.
                prop_assert_eq!(rhythm.wait(moment(caused_at), now + wait), None);
            }
        }
    }
}
