//! TCP doors: ports of the host that lead to services which publish none, so that any of them can
//! have replicas.
//!
//! A door looks its upstream up for every connection and takes the addresses in turn; one that
//! refuses is passed over. A connection that nobody takes is reset, as if the port led nowhere. A
//! door counts its connections and lets the kernel queue those beyond [`CONNECTIONS`]; a peer that
//! has vanished is found by TCP keepalive, and gives its slot back.
//!
//! When asked to stop it takes what the kernel has already accepted, each to its turn, then closes
//! its port, and goes on forwarding until the connections end or the grace period is over: what a
//! client was promised by a handshake, the service behind answers, which stops at the same moment
//! and itself keeps accepting for a while. What is left then is reset, never ended properly.

mod ending;
mod plan;
mod target;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::ending::Side;
pub use self::plan::{NoDoor, Plan, Planned};
use self::target::Target;
use crate::accepting::{PAUSE, has_left};

/// Open connections of one door: 16 KiB of buffers each, so 4 MiB.
pub const CONNECTIONS: usize = 256;

/// Clients that the kernel lets wait.
const BACKLOG: u32 = 1024;

/// A door that is open.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    target: Arc<Target>,
    slots: Arc<Semaphore>,
    most: usize,
    /// As last told.
    full: AtomicBool,
}

impl Door {
    /// Listens at `address` for connections to any of `upstreams`, each `host:port`.
    pub fn open(address: SocketAddr, upstreams: Vec<String>) -> io::Result<Self> {
        Self::with_slots(CONNECTIONS, address, upstreams)
    }

    /// The same for `most` connections at a time.
    pub fn with_slots(
        most: usize,
        address: SocketAddr,
        upstreams: Vec<String>,
    ) -> io::Result<Self> {
        let socket = socket_for(address)?;
        // A port whose last connections are not quite over may be listened at again.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self {
            listener: socket.listen(BACKLOG)?,
            target: Arc::new(Target::new(upstreams)),
            slots: Arc::new(Semaphore::new(most)),
            most,
            full: AtomicBool::new(false),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Forwards until `stop`, and then what is open for another `grace` at most.
    pub async fn serve(self, stop: CancellationToken, grace: Duration) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(_) = connections.join_next() => {}
                accepted = self.accept() => match accepted {
                    Ok((client, slot)) => {
                        let (client, target) = (Side::new(client), Arc::clone(&self.target));
                        connections.spawn(forward(client, target, slot));
                    }
                    Err(error) if has_left(&error) => {}
                    Err(error) => {
                        tracing::warn!(event = "door.accept_failed", %error, "waiting a moment");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
            }
        }
        self.close(&mut connections);
        let ended = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, ended).await.is_err() {
            let left = connections.len();
            tracing::warn!(
                event = "door.cut",
                left,
                "connections outlived the grace period and are reset"
            );
            connections.shutdown().await;
        }
    }

    /// The next connection, once there is room for it. Cancel safe.
    async fn accept(&self) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
        self.tell_if_full();
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.map_err(io::Error::other)?;
        let (client, _) = self.listener.accept().await?;
        Ok((client, slot))
    }

    /// Once each time that all slots are taken, and not again before half of them are free.
    fn tell_if_full(&self) {
        let free = self.slots.available_permits();
        if free == 0 && !self.full.swap(true, Ordering::Relaxed) {
            let (upstream, most) = (self.target.name(), self.most);
            tracing::warn!(
                event = "door.full",
                upstream,
                most,
                "further clients wait until a connection ends"
            );
        } else if free * 2 > self.most {
            self.full.store(false, Ordering::Relaxed);
        }
    }

    /// Takes what waits in the kernel's queue, where a client already believes to be connected,
    /// and closes the port.
    fn close(self, connections: &mut JoinSet<()>) {
        let (target, slots) = (self.target, self.slots);
        let Ok(listener) = self.listener.into_std() else {
            return;
        };
        loop {
            let client = match listener.accept() {
                Ok((client, _)) => client,
                Err(error) if has_left(&error) => continue,
                // The listener does not block: the end of the queue is an error.
                Err(_) => return,
            };
            let Ok(client) = client
                .set_nonblocking(true)
                .and_then(|()| TcpStream::from_std(client))
            else {
                continue;
            };
            let (client, target, slots) =
                (Side::new(client), Arc::clone(&target), Arc::clone(&slots));
            connections.spawn(async move {
                // In turn: the slots are given out in the order of the queue.
                if let Ok(slot) = slots.acquire_owned().await {
                    forward(client, target, slot).await;
                }
            });
        }
    }
}

/// A socket of the address's family, with keepalive, which what a listener accepts inherits. How
/// long a silent peer counts as there is the system's: `net.ipv4.tcp_keepalive_*`, which a container
/// has of its own.
fn socket_for(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_keepalive(true)?;
    Ok(socket)
}

/// Carries bytes both ways until both sides have said their last; each side's end is passed on as
/// it comes, a broken connection as a reset. Holds its slot meanwhile.
async fn forward(mut client: Side, target: Arc<Target>, _slot: OwnedSemaphorePermit) {
    let Some(server) = target.connect().await else {
        return;
    };
    let mut server = Side::new(server);
    client.stream.set_nodelay(true).ok();
    server.stream.set_nodelay(true).ok();
    let carried = copy_bidirectional(&mut client.stream, &mut server.stream).await;
    if carried.is_ok() {
        client.ended_well();
        server.ended_well();
    }
}
