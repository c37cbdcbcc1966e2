//! Databases of a rig's own, on the server that it is given.

use anyhow::{Context, Result};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

/// The URL of the rig's database `name`, on the server of `postgres`.
pub fn url(postgres: &str, name: &str) -> Result<String> {
    let (server, _) = postgres
        .rsplit_once('/')
        .context("not the URL of a database")?;
    Ok(format!("{server}/lyceum_bench_{name}"))
}

/// Makes that database anew; its URL.
pub async fn fresh(postgres: &str, name: &str) -> Result<String> {
    let mut connection = PgConnection::connect(postgres).await?;
    // A service that was ended may seem to be there for a moment.
    for statement in [
        format!("DROP DATABASE IF EXISTS lyceum_bench_{name} WITH (FORCE)"),
        format!("CREATE DATABASE lyceum_bench_{name}"),
    ] {
        connection.execute(AssertSqlSafe(statement)).await?;
    }
    url(postgres, name)
}
