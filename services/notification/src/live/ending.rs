//! What ends a stream from this side, whatever it is sent by.

use lyceum_chassis::auth::Watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// The three things that end a stream which its client has not ended.
#[derive(Debug)]
pub(super) struct Ending {
    /// The process leaves.
    pub(super) stopping: CancellationToken,
    /// The access token ends.
    pub(super) token_expires: Instant,
    /// The access token is called in.
    pub(super) token: Watch,
}

/// Which of them it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farewell {
    Stopping,
    TokenExpired,
    TokenRevoked,
}

impl Ending {
    /// Resolves when it is time to leave. May be dropped and called again.
    pub(super) async fn reached(&mut self) -> Farewell {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Farewell::Stopping,
            () = self.token.revoked() => Farewell::TokenRevoked,
            () = sleep_until(self.token_expires) => Farewell::TokenExpired,
        }
    }
}
