//! TCP doors: ports of the host that lead to services which publish none, so that any of them can
//! have replicas.
//!
//! A door looks its upstream up for every connection and takes the addresses in turn; one that
//! refuses is passed over. A connection that nobody takes is reset, as if the port led nowhere. A
//! door counts its connections and lets the kernel queue those beyond [`CONNECTIONS`].
//!
//! When asked to stop it takes what the kernel has already accepted, then closes its port, and goes
//! on forwarding until the connections end or the grace period is over: what a client was promised
//! by a handshake, the service behind answers, which stops at the same moment and itself keeps
//! accepting for a while.

mod plan;
mod target;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use self::plan::{NoDoor, Plan, Planned};
use self::target::Target;

/// Open connections of one door: 16 KiB of buffers each, so 4 MiB.
pub const CONNECTIONS: usize = 256;

/// When accepting fails it is for want of descriptors or memory, which a moment may bring back.
const PAUSE: Duration = Duration::from_millis(100);

/// A door that is open.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    target: Arc<Target>,
    slots: Arc<Semaphore>,
}

impl Door {
    /// Listens at `address` for connections to any of `upstreams`, each `host:port`.
    pub async fn open(address: SocketAddr, upstreams: Vec<String>) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            target: Arc::new(Target::new(upstreams)),
            slots: Arc::new(Semaphore::new(CONNECTIONS)),
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
                    Ok((client, slot)) => self.forward(client, slot, &mut connections),
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
                "connections outlived the grace period"
            );
            connections.shutdown().await;
        }
    }

    /// The next connection, once there is room for it. Cancel safe.
    async fn accept(&self) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.map_err(io::Error::other)?;
        let (client, _) = self.listener.accept().await?;
        Ok((client, slot))
    }

    fn forward(&self, client: TcpStream, slot: OwnedSemaphorePermit, tasks: &mut JoinSet<()>) {
        let target = Arc::clone(&self.target);
        tasks.spawn(async move {
            forward(client, &target).await;
            drop(slot);
        });
    }

    /// Takes what waits in the kernel's queue, where a client already believes to be connected,
    /// and closes the port.
    fn close(self, connections: &mut JoinSet<()>) {
        let (target, slots) = (self.target, self.slots);
        let Ok(listener) = self.listener.into_std() else {
            return;
        };
        // The listener does not block: the end of the queue is an error.
        while let Ok((client, _)) = listener.accept() {
            let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
                return;
            };
            let Ok(client) = client
                .set_nonblocking(true)
                .and_then(|()| TcpStream::from_std(client))
            else {
                continue;
            };
            let target = Arc::clone(&target);
            connections.spawn(async move {
                forward(client, &target).await;
                drop(slot);
            });
        }
    }
}

/// Carries bytes both ways until both sides have said their last; each side's end is passed on as
/// it comes, a broken connection as a reset.
async fn forward(mut client: TcpStream, target: &Target) {
    let Some(mut server) = target.connect().await else {
        client.set_zero_linger().ok();
        return;
    };
    client.set_nodelay(true).ok();
    server.set_nodelay(true).ok();
    if copy_bidirectional(&mut client, &mut server).await.is_err() {
        client.set_zero_linger().ok();
        server.set_zero_linger().ok();
    }
}
