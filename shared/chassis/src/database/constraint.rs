//! Which constraint a statement violated, by one name on both engines.
//!
//! Postgres reports the constraint's name. `SQLite` reports the columns of a unique index
//! (`users.email`), the name of one over expressions, the name of a check, and nothing at all for
//! a foreign key. So names follow Postgres' own convention, which the columns determine:
//!
//! | what | name | made by |
//! |---|---|---|
//! | primary key | `{table}_pkey` | the engine; leave it unnamed |
//! | unique index | `{table}_{column}_{column}_key` | [`super::columns::unique`] |
//! | foreign key | [`FOREIGN_KEY`] whichever it was | [`super::columns::foreign_key`] |
//! | check | `{table}_{column}_check` | `ColumnDef::check((name, …))` |
//!
//! A command that must know *which* parent is missing reads the parent under a lock first.

use sea_orm::sqlx::error::ErrorKind;
use sea_orm::sqlx::sqlite::SqliteError;
use sea_orm::{DbErr, RuntimeErr, sqlx};

/// What [`violated_constraint`] answers for any foreign key.
pub const FOREIGN_KEY: &str = "foreign_key";

/// Extended result code of `SQLite` for a primary key; the message says only "UNIQUE".
const SQLITE_CONSTRAINT_PRIMARYKEY: &str = "1555";

/// The constraint this error is about, by the names in the module's table; `None` when the
/// error is about something else.
///
/// On Postgres the transaction is then lost and only rolling back is left.
pub fn violated_constraint(error: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return None;
    };
    let sqlx::Error::Database(error) = error.as_ref() else {
        return None;
    };
    if error.try_downcast_ref::<SqliteError>().is_some() {
        let primary = error.code().as_deref() == Some(SQLITE_CONSTRAINT_PRIMARYKEY);
        return name_from_message(error.message(), primary);
    }
    match error.kind() {
        ErrorKind::ForeignKeyViolation => Some(FOREIGN_KEY.to_owned()),
        ErrorKind::UniqueViolation | ErrorKind::CheckViolation => {
            error.constraint().map(str::to_owned)
        }
        _ => None,
    }
}

/// Reads `UNIQUE constraint failed: users.email`, `… failed: index 'name'`,
/// `CHECK constraint failed: name` and `FOREIGN KEY constraint failed`.
///
/// The message is read rather than the code, because a restricted delete is coded as a trigger.
fn name_from_message(message: &str, primary: bool) -> Option<String> {
    let (kind, subject) = message.split_once(" constraint failed")?;
    let subject = subject.trim_start_matches(": ");
    match kind {
        "FOREIGN KEY" => Some(FOREIGN_KEY.to_owned()),
        "CHECK" => Some(subject.to_owned()),
        "UNIQUE" => Some(unique_name(subject, primary)),
        _ => None,
    }
}

fn unique_name(subject: &str, primary: bool) -> String {
    if let Some(index) = subject.strip_prefix("index ") {
        return index.trim_matches('\'').to_owned();
    }
    let columns: Vec<(&str, &str)> = subject
        .split(", ")
        .filter_map(|column| column.split_once('.'))
        .collect();
    let table = columns.first().map_or(subject, |(table, _)| table);
    if primary {
        format!("{table}_pkey")
    } else {
        let columns: Vec<&str> = columns.iter().map(|(_, column)| *column).collect();
        super::columns::unique_name(table, &columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_messages_give_the_name_postgres_would_give() {
        let cases = [
            (
                "UNIQUE constraint failed: users.email",
                false,
                "users_email_key",
            ),
            (
                "UNIQUE constraint failed: enrolments.course_id, enrolments.user_id",
                false,
                "enrolments_course_id_user_id_key",
            ),
            (
                "UNIQUE constraint failed: inbox.user_id, inbox.seq",
                true,
                "inbox_pkey",
            ),
            (
                "UNIQUE constraint failed: index 'users_handle_key'",
                false,
                "users_handle_key",
            ),
            (
                "CHECK constraint failed: lessons_position_check",
                false,
                "lessons_position_check",
            ),
        ];
        for (message, primary, name) in cases {
            assert_eq!(name_from_message(message, primary).as_deref(), Some(name));
        }
        for other in [
            "database is locked",
            "NOT NULL constraint failed: users.email",
        ] {
            assert_eq!(name_from_message(other, false), None);
        }
    }
}
