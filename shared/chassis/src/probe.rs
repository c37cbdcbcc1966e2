//! One plain HTTP question to this machine: the `healthcheck` command, for images without a shell.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Shorter than the second a container runtime waits.
const TIMEOUT: Duration = Duration::from_millis(900);

/// Asks `GET /health/ready` and fails unless the answer is 200.
pub(crate) async fn ready(host: IpAddr, port: u16) -> anyhow::Result<()> {
    let status = tokio::time::timeout(TIMEOUT, ask(host, port))
        .await
        .with_context(|| format!("{host}:{port} did not answer in {TIMEOUT:?}"))?
        .with_context(|| format!("{host}:{port} cannot be asked"))?;
    match status.as_str() {
        "200" => Ok(()),
        other => bail!("not ready: {host}:{port} answered {other}"),
    }
}

async fn ask(host: IpAddr, port: u16) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect((host, port)).await?;
    let request = "GET /health/ready HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut head = [0_u8; 12];
    stream.read_exact(&mut head).await?;
    let head = std::str::from_utf8(&head)?;
    let status = head.split(' ').nth(1).context("the answer is not HTTP")?;
    Ok(status.to_owned())
}
