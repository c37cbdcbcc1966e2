//! Which database statements go to: the attributes that are the same for all of them.

use sea_orm::DbBackend;

/// Read once from the connection URL; user and password are left behind.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// `db.system.name`.
    pub(super) system: &'static str,
    /// `db.namespace`: the database's name; for SQLite that of its file without folder and extension.
    pub(super) namespace: Option<String>,
    /// `server.address` and `server.port`; absent for SQLite, which has no server.
    pub(super) server: Option<(String, u16)>,
}

/// Where PostgreSQL listens unless told otherwise.
const POSTGRES_PORT: u16 = 5432;

impl Target {
    pub(super) fn of(backend: DbBackend, url: &str) -> Self {
        let rest = url.split_once(':').map_or(url, |(_, rest)| rest);
        let rest = rest
            .trim_start_matches("//")
            .split(['?', '#'])
            .next()
            .unwrap_or_default();
        match backend {
            DbBackend::Postgres => {
                let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
                Self {
                    system: "postgresql",
                    namespace: named(database),
                    server: server(authority, POSTGRES_PORT),
                }
            }
            DbBackend::Sqlite => {
                let file = rest.rsplit('/').next().unwrap_or_default();
                let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
                Self {
                    system: "sqlite",
                    namespace: named(stem),
                    server: None,
                }
            }
            other => Self {
                system: other.as_str(),
                namespace: None,
                server: None,
            },
        }
    }
}

fn named(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

fn server(authority: &str, default_port: u16) -> Option<(String, u16)> {
    let address = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().unwrap_or(default_port)),
        _ => (address, default_port),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_tells_host_port_and_database_but_no_secret() {
        let target = Target::of(
            DbBackend::Postgres,
            "postgres://ada:p%40ss@db:6543/lyceum_user?sslmode=disable",
        );
        assert_eq!(target.server, Some(("db".to_owned(), 6543)));
        assert_eq!(target.namespace.as_deref(), Some("lyceum_user"));
        assert!(!format!("{target:?}").contains("ss"), "{target:?}");
    }

    #[test]
    fn postgres_without_a_port_listens_on_5432() {
        let target = Target::of(DbBackend::Postgres, "postgres://[::1]/course");
        assert_eq!(target.server, Some(("::1".to_owned(), 5432)));
    }

    #[test]
    fn sqlite_tells_the_name_of_its_file() {
        for url in [
            "sqlite:///srv/data/user.db?mode=rwc",
            "sqlite://data/user.db",
            "sqlite:user.db",
        ] {
            assert_eq!(
                Target::of(DbBackend::Sqlite, url).namespace.as_deref(),
                Some("user"),
                "{url}"
            );
        }
        assert_eq!(
            Target::of(DbBackend::Sqlite, "sqlite::memory:").server,
            None
        );
    }
}
