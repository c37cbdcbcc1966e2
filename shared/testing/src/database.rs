//! A fresh database per test, on either engine, gone when dropped.
//!
//! `LYCEUM_TEST_ENGINE` chooses (`sqlite`, the default, or `postgres`); for Postgres,
//! `TEST_POSTGRES_URL` is the URL of a role that may create databases.

use std::fmt;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr};
use tempfile::TempDir;
use uuid::Uuid;

use crate::background::block_on_own_runtime;

/// Which database the tests of this process run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The embedded default: a file of its own per test.
    Sqlite,
    /// A database of its own per test on a running server.
    Postgres,
}

impl Engine {
    /// The engine `LYCEUM_TEST_ENGINE` names.
    ///
    /// # Panics
    /// When it names another.
    pub fn chosen() -> Self {
        match environment("LYCEUM_TEST_ENGINE").as_deref() {
            None | Some("sqlite") => Self::Sqlite,
            Some("postgres") => Self::Postgres,
            Some(other) => panic!("LYCEUM_TEST_ENGINE is sqlite or postgres, not {other:?}"),
        }
    }
}

/// An empty database that no other test sees.
pub struct TestDatabase {
    url: String,
    place: Place,
}

enum Place {
    Sqlite {
        /// Deletes itself and the file in it.
        _folder: TempDir,
    },
    Postgres {
        server_url: String,
        name: String,
    },
}

impl TestDatabase {
    /// Makes one on the engine chosen for this run.
    ///
    /// # Panics
    /// When Postgres is chosen and cannot be used: with what to set.
    pub fn create() -> Self {
        Self::create_on(Engine::chosen())
    }

    /// Makes one on a certain engine, for the rare test about the engine itself.
    ///
    /// # Panics
    /// As [`TestDatabase::create`].
    pub fn create_on(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::create_file(),
            Engine::Postgres => {
                let server_url = environment("TEST_POSTGRES_URL").expect(
                    "TEST_POSTGRES_URL is set: postgres://user:password@host:port/postgres",
                );
                Self::create_on_server(server_url)
            }
        }
    }

    fn create_file() -> Self {
        let folder = TempDir::with_prefix("lyceum-test-").expect("a temporary folder");
        let file = folder.path().join("lyceum.db");
        Self {
            url: format!("sqlite://{}?mode=rwc", file.display()),
            place: Place::Sqlite { _folder: folder },
        }
    }

    fn create_on_server(server_url: String) -> Self {
        let name = format!("lyceum_test_{}", Uuid::new_v4().simple());
        administer(&server_url, &format!("CREATE DATABASE {name}"))
            .expect("the role of TEST_POSTGRES_URL may create databases");
        Self {
            url: with_database(&server_url, &name),
            place: Place::Postgres { server_url, name },
        }
    }

    /// The URL a service connects to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The engine it is on.
    pub fn engine(&self) -> Engine {
        match self.place {
            Place::Sqlite { .. } => Engine::Sqlite,
            Place::Postgres { .. } => Engine::Postgres,
        }
    }

    /// A connection for a test that looks into the tables, or breaks them.
    ///
    /// # Panics
    /// When the database cannot be reached.
    pub async fn connect(&self) -> DatabaseConnection {
        let connection = Database::connect(single_connection(&self.url)).await;
        connection.expect("the test's own database can be reached")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Place::Postgres { server_url, name } = &self.place {
            // FORCE ends connections that a killed service or a panicking test left open.
            let dropped = administer(server_url, &format!("DROP DATABASE {name} WITH (FORCE)"));
            if !std::thread::panicking() {
                dropped.expect("the test's own database can be dropped");
            }
        }
    }
}

impl fmt::Debug for TestDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL of a server may hold a password.
        f.debug_struct("TestDatabase")
            .field("engine", &self.engine())
            .finish_non_exhaustive()
    }
}

/// Runs one statement that no transaction may hold.
fn administer(server_url: &str, statement: &str) -> Result<(), DbErr> {
    block_on_own_runtime(async {
        let server = Database::connect(single_connection(server_url)).await?;
        server.execute_unprepared(statement).await?;
        server.close().await
    })
}

fn single_connection(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    options
}

/// The same server and parameters, another database.
fn with_database(server_url: &str, name: &str) -> String {
    let (address, parameters) = match server_url.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (server_url, String::new()),
    };
    let authority = address.find("://").map_or(0, |scheme| scheme + "://".len());
    let end = address[authority..].find('/');
    let server = &address[..end.map_or(address.len(), |end| authority + end)];
    format!("{server}/{name}{parameters}")
}

#[expect(
    clippy::disallowed_methods,
    reason = "which engine to test on is the runner's choice, not a setting of a service"
)]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[tokio::test]
    async fn two_tests_do_not_see_each_other() {
        let mine = TestDatabase::create();
        let yours = TestDatabase::create();
        let (mine, yours) = (mine.connect().await, yours.connect().await);
        let table = "CREATE TABLE notes (id integer)";
        mine.execute_unprepared(table).await.unwrap();
        yours.execute_unprepared(table).await.unwrap();
        assert!(mine.execute_unprepared(table).await.is_err());
    }

    #[test]
    fn a_dropped_file_leaves_nothing_behind() {
        let database = TestDatabase::create_on(Engine::Sqlite);
        let file = database.url().strip_prefix("sqlite://").unwrap();
        let file = file.strip_suffix("?mode=rwc").unwrap();
        let folder = Path::new(file).parent().unwrap().to_owned();
        assert!(folder.is_dir());
        drop(database);
        assert!(!folder.exists());
    }

    #[tokio::test]
    async fn a_database_is_dropped_with_its_connections_open() {
        let database = TestDatabase::create();
        let url = database.url().to_owned();
        let connection = database.connect().await;
        connection.ping().await.unwrap();
        drop(database);
        assert!(is_gone(&url).await);
    }

    #[tokio::test]
    async fn a_panicking_test_leaves_nothing_behind_either() {
        let (tell, told) = std::sync::mpsc::channel();
        let test = std::panic::catch_unwind(move || {
            let database = TestDatabase::create();
            tell.send(database.url().to_owned()).unwrap();
            panic!("as tests do");
        });
        assert!(test.is_err());
        assert!(is_gone(&told.recv().unwrap()).await);
    }

    async fn is_gone(url: &str) -> bool {
        // Without the right to create a file that is not there.
        let url = url.replace("mode=rwc", "mode=rw");
        Database::connect(url).await.is_err()
    }

    #[test]
    fn the_database_in_a_url_is_replaced_and_nothing_else() {
        for (server, expected) in [
            ("postgres://u:p@h:5432/postgres", "postgres://u:p@h:5432/x"),
            ("postgres://h", "postgres://h/x"),
            ("postgres://h/", "postgres://h/x"),
            (
                "postgres://u@%2Ftmp/postgres?sslmode=disable",
                "postgres://u@%2Ftmp/x?sslmode=disable",
            ),
        ] {
            assert_eq!(with_database(server, "x"), expected);
        }
    }
}
