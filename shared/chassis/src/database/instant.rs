//! Times as `SQLite` text that sorts.
//!
//! Postgres keeps `timestamptz` in microseconds. `SQLite` has no such type, and sqlx writes RFC
//! 3339 without trailing zeros: `…05.5Z` then sorts before `…05Z`, and every `ORDER BY` or `<=`
//! on a time is wrong in its last second. So times are bound as text of one width, in UTC, with
//! six digits, cut as Postgres cuts them; reading them back needs nothing special. `Database` and
//! `Transaction` see to it, so nothing writes past them.

use sea_orm::sea_query::Value;
use sea_orm::{DbBackend, DbErr, Statement};
use time::format_description::StaticFormatDescription;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

const FIXED_WIDTH: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// On `SQLite`, replaces every time among the statement's values by its text.
pub(super) fn adapt(backend: DbBackend, mut statement: Statement) -> Result<Statement, DbErr> {
    if backend != DbBackend::Sqlite {
        return Ok(statement);
    }
    for value in statement.values.iter_mut().flat_map(|values| &mut values.0) {
        if let Value::TimeDateTimeWithTimeZone(instant) = value {
            *value = Value::String(instant.map(text).transpose()?);
        }
    }
    Ok(statement)
}

/// A moment as it is kept in `SQLite`, and as Postgres reads it.
pub(super) fn text(instant: OffsetDateTime) -> Result<String, DbErr> {
    instant
        .to_offset(UtcOffset::UTC)
        .format(FIXED_WIDTH)
        .map_err(|error| DbErr::Type(format!("a time that cannot be kept: {error}")))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn texts_of_times_sort_as_the_times_do() {
        let earlier = text(datetime!(2026-01-02 03:04:05 UTC)).unwrap();
        let later = text(datetime!(2026-01-02 04:04:05.5 +1)).unwrap();
        assert_eq!(earlier, "2026-01-02T03:04:05.000000Z");
        assert_eq!(later, "2026-01-02T03:04:05.500000Z");
        assert!(earlier < later);
    }

    #[test]
    fn digits_beyond_microseconds_are_cut_not_rounded() {
        let instant = datetime!(2026-01-02 03:04:05.999_999_999 UTC);
        assert_eq!(text(instant).unwrap(), "2026-01-02T03:04:05.999999Z");
    }
}
