//! Where a door leads: some names, and whose turn it is.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;

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

    /// A connection to the address whose turn it is, or to the next one that takes it.
    pub(super) async fn connect(&self) -> Option<TcpStream> {
        let connected = self.try_each().await;
        let reachable = connected.is_some();
        if self.reachable.swap(reachable, Ordering::Relaxed) != reachable {
            let upstream = self.upstreams.join("+");
            if reachable {
                tracing::info!(event = "door.reachable", upstream, "forwarding again");
            } else {
                tracing::warn!(
                    event = "door.unreachable",
                    upstream,
                    "connections are reset"
                );
            }
        }
        connected
    }

    async fn try_each(&self) -> Option<TcpStream> {
        let mut addresses = self.addresses().await;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let first = turn.checked_rem(addresses.len())?;
        addresses.rotate_left(first);
        for address in addresses {
            let attempt = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address));
            if let Ok(Ok(connected)) = attempt.await {
                return Some(connected);
            }
        }
        None
    }

    /// Of all upstreams that are known at this moment.
    async fn addresses(&self) -> Vec<SocketAddr> {
        let mut addresses = Vec::new();
        for upstream in &self.upstreams {
            addresses.extend(resolve(upstream).await.unwrap_or_default());
        }
        addresses
    }
}
