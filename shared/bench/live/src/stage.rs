//! What is measured: the notification service as production builds it, and the bare loop.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use lyceum_bench_stage::process::Process;
use lyceum_bench_stage::{await_health, database, free_port};
use uuid::Uuid;

/// Where a service is started from, and who answers it.
pub(crate) struct Stage {
    binary: PathBuf,
    pub(crate) postgres: String,
    users: String,
    _users: Process,
}

/// Where its rows are.
#[derive(Debug, Clone)]
pub(crate) enum Rows {
    /// In a file that goes with the folder.
    Sqlite,
    /// In this database.
    Postgres(String),
}

/// A running service or loop.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) port: u16,
}

/// What a service keeps beside itself; gone with this.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("lyceum-bench-{}", Uuid::new_v4()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left lies among the temporary files.
        fs::remove_dir_all(&self.0).ok();
    }
}

impl Stage {
    /// Makes ready what every figure needs.
    pub(crate) fn set(binaries: &Path, postgres: String) -> Result<Self> {
        let (process, address) = Process::role("users", &[])?;
        Ok(Self {
            binary: binaries.join("lyceum-notification"),
            postgres,
            users: format!("http://{address}"),
            _users: process,
        })
    }

    /// A database on Postgres, made anew.
    pub(crate) async fn fresh(&self) -> Result<Rows> {
        let url = database::fresh(&self.postgres, "live").await?;
        Ok(Rows::Postgres(url))
    }

    /// Starts a service that sends no letters, unless `settings` say so.
    pub(crate) async fn service(
        &self,
        rows: &Rows,
        folder: &Folder,
        settings: &[(&'static str, String)],
    ) -> Result<Server> {
        let port = free_port()?;
        let database = match rows {
            Rows::Postgres(url) => url.clone(),
            Rows::Sqlite => {
                format!("sqlite://{}?mode=rwc", folder.0.join("rows.db").display())
            }
        };
        let mut variables = vec![
            ("LYCEUM__DATABASE__URL", database),
            ("LYCEUM__HTTP__PORT", port.to_string()),
            ("LYCEUM__OPERATIONS__PORT", free_port()?.to_string()),
            ("LYCEUM__UPSTREAMS__USER__BASE_URL", self.users.clone()),
            // Ten thousand streams may be one person's, and there may be more than ten thousand.
            ("LYCEUM__LIVE__STREAMS_PER_USER", "100000".to_owned()),
            ("LYCEUM__LIVE__STREAMS_PER_NODE", "100000".to_owned()),
            ("LYCEUM__MAIL__RUN", "false".to_owned()),
        ];
        variables.extend(settings.iter().cloned());
        let process = Process::service(&self.binary, &variables)?;
        await_health(port).await?;
        Ok(Server { process, port })
    }

    /// Starts the bare loop.
    pub(crate) fn bare() -> Result<Server> {
        let (process, address) = Process::role("bare", &[])?;
        let port = address.port();
        Ok(Server { process, port })
    }
}
