//! Peers that take nothing of what they are sent.
//!
//! While bytes wait to be taken the server asks for no more of the answer, so nothing above the
//! socket could notice how long that lasts, and a peer that says it has no room, again and again,
//! would be waited for for ever. The kernel counts instead (`tcp(7)`, `TCP_USER_TIMEOUT`).

use std::any::Any;

use actix_web::rt::net::TcpStream;

/// Lets the kernel give the connection up when nothing that was sent has been taken for so long;
/// 0 leaves it to the system.
#[cfg(target_os = "linux")]
pub(super) fn limit(connection: &dyn Any, timeout_ms: u32) {
    if timeout_ms > 0
        && let Some(stream) = connection.downcast_ref::<TcpStream>()
        && let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, timeout_ms)
    {
        tracing::debug!(%error, "a connection keeps the system's own limit");
    }
}

/// There is no such thing here.
#[cfg(not(target_os = "linux"))]
pub(super) fn limit(_: &dyn Any, _: u32) {}
