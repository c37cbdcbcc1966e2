//! A peer that refuses every connection, until it comes up.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpSocket;

use super::{Scene, ScriptedPeer, serve};
use crate::socket::SocketServer;

/// An address where nobody listens and, since the port is held, nobody else will.
#[derive(Debug)]
pub struct DownPeer {
    socket: TcpSocket,
    port: u16,
}

impl DownPeer {
    /// Holds a free port of the loopback interface without listening on it.
    pub fn hold() -> Self {
        let socket = TcpSocket::new_v4().expect("the system grants a socket");
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket
            .bind(free)
            .expect("the loopback interface has a free port");
        let port = socket.local_addr().expect("a bound port").port();
        Self { socket, port }
    }

    /// `http://127.0.0.1:<port>`
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Begins to listen, on the same address.
    pub fn come_up(self) -> ScriptedPeer {
        /// Connections the system keeps for a peer that is busy.
        const BACKLOG: u32 = 128;
        let scene = Arc::new(Scene::default());
        let served = scene.clone();
        let server = SocketServer::start_on(
            "peer",
            self.port,
            move || self.socket.listen(BACKLOG),
            move |connection| serve(served.clone(), connection),
        );
        ScriptedPeer { scene, server }
    }
}
