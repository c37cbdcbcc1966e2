//! How a connection ends for the one at its other end.

use tokio::net::TcpStream;

/// One side of a forwarded connection. Dropped before [`ended_well`](Self::ended_well), whatever
/// the reason, it is reset: a proper end would make half an answer look like a whole one.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) stream: TcpStream,
    is_whole: bool,
}

impl Side {
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            is_whole: false,
        }
    }

    /// Everything was said and passed on.
    pub(super) fn ended_well(mut self) {
        self.is_whole = true;
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        if !self.is_whole {
            self.stream.set_zero_linger().ok();
        }
    }
}
