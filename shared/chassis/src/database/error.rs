//! Why a database cannot be used, in one line for the person who starts the service, and which
//! failures of a running service will pass.
//!
//! No message here contains a password: targets are described by [`super::target::Target`].

use sea_orm::sqlx;
use sea_orm::{DbErr, RuntimeErr};

/// Why a service cannot use its database. Each displays as one line.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A setting cannot be.
    #[error("setting `{key}`: {problem}")]
    Setting {
        /// Path of the key, such as `database.url`.
        key: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// `database.url` names a file that cannot be used, or is no URL at all.
    #[error("setting `database.url`: {0}")]
    Url(String),
    /// Nobody answers, or the answer is no.
    #[error("cannot open the database {target} (setting `database.url`): {reason}")]
    Unreachable {
        /// Which database, without the password.
        target: String,
        /// What the driver or the server says.
        reason: String,
    },
    /// A migration failed; those before it stay applied on Postgres, none do on `SQLite`.
    #[error("cannot migrate the database {target}: {reason}")]
    Migration {
        /// Which database, without the password.
        target: String,
        /// What the database says.
        reason: DbErr,
    },
    /// The role of `database.url` may use the tables and not change them.
    #[error(
        "cannot migrate the database {target}: {reason}; run `lyceum-{service} migrate` with its \
         owner's URL, and set `database.migrate_on_start` to false"
    )]
    MayNotMigrate {
        /// Which database, without the password.
        target: String,
        /// What the database says.
        reason: String,
        /// Whose binary to run.
        service: String,
    },
}

impl DatabaseError {
    pub(super) fn migration(service: &str, target: String, reason: DbErr) -> Self {
        match refused_by_rights(&reason) {
            Some(refusal) => Self::MayNotMigrate {
                target,
                reason: refusal,
                service: service.to_owned(),
            },
            None => Self::Migration { target, reason },
        }
    }
}

/// What Postgres says when a role lacks a right: SQLSTATE 42501.
fn refused_by_rights(error: &DbErr) -> Option<String> {
    let refusal = driver_error(error)?.as_database_error()?;
    (refusal.code().as_deref() == Some("42501")).then(|| refusal.message().to_owned())
}

fn driver_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error))
        | DbErr::Conn(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// Why a running service is not ready to answer.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The database does not answer.
    #[error("the database does not answer: {0}")]
    Unreachable(#[from] DbErr),
    /// Somebody has to run `migrate`.
    #[error("migrations are pending: {}", .0.join(", "))]
    Pending(Vec<String>),
}

/// Whether the failure lies with the database's condition and not with the statement: the same
/// request may succeed in a moment, so a handler answers 503 with `Retry-After`, not 500.
///
/// True for a pool that is exhausted or closed, a lost or refused connection, a server that is
/// starting, stopping, read-only or out of resources, a deadlock or lock timeout, a statement cut by its
/// timeout, and a `SQLite` file that is locked, gone, read-only, or on a full or failing disk.
pub fn is_unavailable(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        other => driver_error(other).is_some_and(driver_is_unavailable),
    }
}

/// Whether the connection is gone, and with it the statement's answer. Another one may work.
pub(super) fn connection_is_lost(error: &DbErr) -> bool {
    driver_error(error).is_some_and(driver_lost_connection)
}

pub(super) fn driver_lost_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            // Told before it hung up: shut down, crashed, idle for too long.
            matches!(code.as_ref(), "57P01" | "57P02" | "57P05")
        }
        _ => false,
    }
}

pub(super) fn driver_is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            if error
                .try_downcast_ref::<sqlx::sqlite::SqliteError>()
                .is_some()
            {
                code.parse().is_ok_and(sqlite_is_unavailable)
            } else {
                postgres_is_unavailable(&code)
            }
        }
        _ => false,
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn postgres_is_unavailable(sqlstate: &str) -> bool {
    let class = sqlstate.get(..2).unwrap_or_default();
    matches!(class, "08" | "53") // connection exceptions, insufficient resources
        || matches!(
            sqlstate,
            "25006" // read-only: demoted to a standby, or somebody saves a full disk
            | "40001" // serialization failure
            | "40P01" // deadlock detected
            | "55P03" // lock not available
            | "57014" // statement timeout
            | "57P01" | "57P02" | "57P03" // shutting down, crashed, starting up
            | "57P05" // idle session timeout
        )
}

/// <https://www.sqlite.org/rescode.html>; the low byte of an extended code is its primary code.
fn sqlite_is_unavailable(code: u32) -> bool {
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    const READONLY: u32 = 8;
    const IOERR: u32 = 10;
    const FULL: u32 = 13;
    const CANTOPEN: u32 = 14;
    matches!(
        code & 0xff,
        BUSY | LOCKED | READONLY | IOERR | FULL | CANTOPEN
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_down_or_busy_is_unavailable_and_a_wrong_statement_is_not() {
        for sqlstate in [
            "08006", "25006", "53300", "57P03", "57P05", "40P01", "57014",
        ] {
            assert!(postgres_is_unavailable(sqlstate), "{sqlstate}");
        }
        for sqlstate in ["23505", "42P01", "22P02", ""] {
            assert!(!postgres_is_unavailable(sqlstate), "{sqlstate}");
        }
        for code in [5, 6, 8, 10, 13, 14, 261, 517, 778, 1032] {
            assert!(sqlite_is_unavailable(code), "{code}");
        }
        for code in [1, 19, 2067] {
            assert!(!sqlite_is_unavailable(code), "{code}");
        }
    }
}
