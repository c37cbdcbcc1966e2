//! What `database.url` points at, and how a connection to it is set up.
//!
//! Everything that differs between the engines before the first statement is here.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sea_orm::sqlx::ConnectOptions;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::{DatabaseError, DatabaseSettings};

/// Which of the two engines a database runs on, for the few places where SQL must differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded in the process, one writer at a time.
    Sqlite,
    /// A server, 15 or newer.
    Postgres,
}

/// A database that can be connected to.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres(Box<PgConnectOptions>),
}

impl Target {
    /// Reads the URL. `service` becomes the `application_name` an operator sees in
    /// `pg_stat_activity`.
    pub(super) fn parse(service: &str, settings: &DatabaseSettings) -> Result<Self, DatabaseError> {
        let url = settings.url.expose();
        let scheme = url.split(':').next().unwrap_or_default();
        match scheme {
            "sqlite" => sqlite(url, settings.acquire_timeout()),
            "postgres" | "postgresql" => postgres(url, service, settings.statement_timeout_ms),
            _ => Err(DatabaseError::Url(
                "must begin with `sqlite://` or `postgres://`".to_owned(),
            )),
        }
    }

    pub(super) const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// The database as a person would name it; never with a password.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Sqlite(options) => options.get_filename().display().to_string(),
            Self::Postgres(options) => format!(
                "{database} at {host}:{port} as {user}",
                database = options
                    .get_database()
                    .unwrap_or_else(|| options.get_username()),
                host = options.get_host(),
                port = options.get_port(),
                user = options.get_username(),
            ),
        }
    }

    /// The same database for migrations, which may rightly take long.
    pub(super) fn without_time_limits(&self, wait: Duration) -> Self {
        match self.clone() {
            Self::Sqlite(options) => Self::Sqlite(Box::new(options.busy_timeout(wait))),
            Self::Postgres(options) => {
                Self::Postgres(Box::new(options.options([("statement_timeout", "0")])))
            }
        }
    }
}

fn sqlite(url: &str, busy_timeout: Duration) -> Result<Target, DatabaseError> {
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(DatabaseError::Url(
            "a database in memory is gone with its connection; name a file".to_owned(),
        ));
    }
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|error| DatabaseError::Url(error.to_string()))?;
    prepare_file(options.get_filename(), url.contains("mode=rwc"))?;
    Ok(Target::Sqlite(Box::new(
        options
            .journal_mode(SqliteJournalMode::Wal)
            // With WAL this cannot corrupt the file; a power cut may take the last commits, a
            // killed process takes none.
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(busy_timeout)
            .disable_statement_logging(),
    )))
}

/// Opens the file once by itself, because all `SQLite` says is "unable to open database file".
///
/// With `mode=rwc` the file is made, and the last folder of its path too; a longer missing path
/// is a mistyped one.
fn prepare_file(file: &Path, create: bool) -> Result<(), DatabaseError> {
    let refuse = |reason: &io::Error| {
        DatabaseError::Url(format!("cannot write {}: {reason}", file.display()))
    };
    if create
        && let Some(folder) = file.parent()
        && !folder.as_os_str().is_empty()
        && let Err(error) = fs::create_dir(folder)
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(refuse(&error));
    }
    OpenOptions::new()
        .append(true)
        .create(create)
        .open(file)
        .map(drop)
        .map_err(|error| refuse(&error))
}

/// How often Postgres looks whether the service is still there while it runs a statement, in
/// milliseconds. By itself it never does (0), and finishes work that nobody waits for. One poll of
/// a socket each time; a server on Windows has no such setting.
const CHECK_CLIENT_EVERY_MS: u64 = 10;

fn postgres(url: &str, service: &str, statement_timeout_ms: u64) -> Result<Target, DatabaseError> {
    // The parser's message may quote the URL, and with it the password.
    let options = PgConnectOptions::from_str(url).map_err(|_| {
        DatabaseError::Url("is not of the form postgres://user:password@host:port/name".to_owned())
    })?;
    Ok(Target::Postgres(Box::new(
        options
            .application_name(&format!("lyceum-{service}"))
            .options([
                ("statement_timeout", statement_timeout_ms),
                ("client_connection_check_interval", CHECK_CLIENT_EVERY_MS),
            ])
            .disable_statement_logging(),
    )))
}
