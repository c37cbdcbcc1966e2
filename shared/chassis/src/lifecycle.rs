//! When a process is asked to stop, and when it is told to.
//!
//! The first SIGTERM or SIGINT asks: everything drains within the grace period. The second one
//! tells: everything is dropped at once. Tests and the server hold the same handle, so a test
//! stops a service as the system does.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Handle on the two stages of the end; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    stopping: CancellationToken,
    aborted: CancellationToken,
}

impl Lifecycle {
    /// A lifecycle that ends when somebody says so.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to stop; the second call tells to.
    pub fn stop(&self) {
        if self.stopping.is_cancelled() {
            self.aborted.cancel();
        }
        self.stopping.cancel();
    }

    /// Whether somebody has asked to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Resolves when somebody asks to stop.
    pub async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    /// Resolves when somebody tells to stop at once.
    pub async fn aborted(&self) {
        self.aborted.cancelled().await;
    }

    /// A token that is cancelled when the lifecycle is asked to stop.
    pub fn stop_token(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Calls [`Self::stop`] for every SIGTERM and SIGINT; never returns.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub async fn follow_signals(self) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        loop {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::info!(event = "lifecycle.signal", signal = name, "asked to stop");
            self.stop();
        }
    }

    /// Calls [`Self::stop`] once standard input closes.
    ///
    /// A parent that keeps the other end open is followed wherever it ends, `kill -9` included.
    pub async fn follow_stdin(self) {
        let mut input = tokio::io::stdin();
        let mut ignored = [0_u8; 64];
        while matches!(input.read(&mut ignored).await, Ok(read) if read > 0) {}
        tracing::info!(event = "lifecycle.stdin_closed", "asked to stop");
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_stop_asks_and_the_second_tells() {
        let lifecycle = Lifecycle::new();
        assert!(!lifecycle.is_stopping());
        lifecycle.stop();
        lifecycle.stopping().await;
        assert!(!lifecycle.aborted.is_cancelled());
        lifecycle.stop();
        lifecycle.aborted().await;
    }
}
