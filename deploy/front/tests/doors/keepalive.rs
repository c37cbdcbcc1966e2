//! A peer that has vanished does not hold its slot for ever.

use std::net::SocketAddr;
use std::time::Duration;

use lyceum_testing::PATIENCE;
use tokio::time::timeout;

use crate::{Open, carries, taken, upstream};

/// Whether the kernel looks after a silent peer, by `/proc/net/tcp`: the socket at `local` that is
/// connected to `remote` has its keepalive timer (02) set.
fn is_kept_alive(local: SocketAddr, remote: SocketAddr) -> bool {
    let written = |address: SocketAddr| {
        let SocketAddr::V4(address) = address else {
            return String::new();
        };
        let ip = u32::from_le_bytes(address.ip().octets());
        format!("{ip:08X}:{:04X}", address.port())
    };
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    table.lines().any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields[1] == written(local) && fields[2] == written(remote) && fields[5].starts_with("02:")
    })
}

#[tokio::test]
async fn the_kernel_looks_after_silent_peers_on_both_sides() {
    let (up, address) = upstream().await;
    let door = Open::before(vec![address]);
    let (mut client, mut server) = (door.connect().await, taken(&up).await);
    carries(&mut client, &mut server, "and now nothing").await;
    let (client, server) = (client.local_addr().unwrap(), server.peer_addr().unwrap());
    let up = up.local_addr().unwrap();
    let watched = async {
        // While bytes are not acknowledged yet, another timer runs.
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while !(is_kept_alive(door.address, client) && is_kept_alive(server, up)) {
            tick.tick().await;
        }
    };
    timeout(PATIENCE, watched).await.unwrap();
}
