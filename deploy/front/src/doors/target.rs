//! Where a door leads: some names, and whose turn it is.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;

use super::socket_for;
use crate::address::resolve;

/// For one address: over the retransmission of a lost packet, under what a person waits.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1500);

/// The upstreams of one door.
#[derive(Debug)]
pub(super) struct Target {
    upstreams: Vec<String>,
    turn: AtomicUsize,
    /// As last seen, so that a change is told once.
    reachable: AtomicBool,
}

impl Target {
    pub(super) const fn new(upstreams: Vec<String>) -> Self {
        Self {
            upstreams,
            turn: AtomicUsize::new(0),
            reachable: AtomicBool::new(true),
        }
    }

    /// What it is called in the log.
    pub(super) fn name(&self) -> String {
        self.upstreams.join("+")
    }

    /// A connection to the address whose turn it is, or to the next one that takes it.
    pub(super) async fn connect(&self) -> Option<TcpStream> {
        let connected = self.try_each().await;
        let reachable = connected.is_ok();
        if self.reachable.swap(reachable, Ordering::Relaxed) != reachable {
            let upstream = self.name();
            match &connected {
                Ok(_) => tracing::info!(event = "door.reachable", upstream, "forwarding again"),
                Err(reason) => tracing::warn!(
                    event = "door.unreachable",
                    upstream,
                    reason,
                    "connections are reset"
                ),
            }
        }
        connected.ok()
    }

    /// The first that takes a connection, or why the last one did not.
    async fn try_each(&self) -> Result<TcpStream, String> {
        let (mut addresses, mut reason) = self.addresses().await;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        if let Some(first) = turn.checked_rem(addresses.len()) {
            addresses.rotate_left(first);
        }
        for address in addresses {
            let why = match tokio::time::timeout(CONNECT_TIMEOUT, connect(address)).await {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer in {} ms", CONNECT_TIMEOUT.as_millis()),
            };
            reason = format!("{address}: {why}");
        }
        Err(reason)
    }

    /// Of all upstreams that are known at this moment, and why another one is not.
    async fn addresses(&self) -> (Vec<SocketAddr>, String) {
        let (mut addresses, mut reason) = (Vec::new(), "nobody has this name".to_owned());
        for upstream in &self.upstreams {
            match resolve(upstream).await {
                Ok(found) => addresses.extend(found),
                Err(error) => reason = format!("{upstream}: {error}"),
            }
        }
        (addresses, reason)
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    socket_for(address)?.connect(address).await
}
