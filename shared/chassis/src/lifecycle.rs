//! When a process is asked to stop, and when it is told to.
//!
//! The first SIGTERM or SIGINT asks: everything drains within the grace period. The second one
//! tells: everything is dropped at once. Standard input that closes only ever asks, because a
//! supervisor may do both: signal its whole group, and go. Tests and the server hold the same handle, so a test
//! stops a service as the system does.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
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

    /// Asks to stop, however often it was asked before.
    pub(crate) fn ask(&self) {
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

    /// Asks to stop at the first SIGTERM or SIGINT and tells to at the next; never returns.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub async fn follow_signals(self) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut asked = false;
        loop {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::info!(event = "lifecycle.signal", signal = name, "asked to stop");
            if asked {
                self.stop();
            }
            self.ask();
            asked = true;
        }
    }

    /// Asks to stop once standard input closes.
    ///
    /// A parent that keeps the other end open is followed wherever it ends, `kill -9` included.
    pub async fn follow_stdin(self) {
        self.follow(tokio::io::stdin()).await;
    }

    async fn follow(self, mut input: impl AsyncRead + Unpin) {
        let mut ignored = [0_u8; 64];
        while matches!(input.read(&mut ignored).await, Ok(read) if read > 0) {}
        tracing::info!(event = "lifecycle.stdin_closed", "asked to stop");
        self.ask();
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

    #[tokio::test]
    async fn a_closed_input_asks_and_never_tells() {
        let lifecycle = Lifecycle::new();
        lifecycle.clone().follow(&b"words"[..]).await;
        assert!(lifecycle.is_stopping());
        lifecycle.clone().follow(tokio::io::empty()).await;
        assert!(!lifecycle.aborted.is_cancelled());
    }
}
