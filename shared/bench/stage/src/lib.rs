//! What every rig needs: processes of its own, databases made anew, a plain HTTP client.
#![expect(
    clippy::disallowed_methods,
    reason = "who sets the scene is no service of the platform"
)]

pub mod database;
pub mod http;
pub mod process;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::http::Connection;

/// What the services share in a checkout.
pub const SECRET: &str = "lyceum-development-service-secret";
/// A start takes a second; nobody waits for ever.
const START: Duration = Duration::from_secs(30);

/// A variable of the environment, or an error that names it.
pub fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set"))
}

/// A port nobody listens on now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Waits until something answers on `port`.
pub async fn await_health(port: u16) -> Result<()> {
    let begun = Instant::now();
    while ask_health(port).await.is_err() {
        if begun.elapsed() > START {
            bail!("nothing answers on port {port}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn ask_health(port: u16) -> Result<(u16, usize)> {
    let request = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    Connection::to(port).await?.exchange(request).await
}

/// The median of what `value` finds in each; of an even number the upper one.
pub fn median_of<T>(all: &[T], value: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = all.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
