//! What ends a stream from this side, whatever it is sent by.

use lyceum_chassis::auth::Watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::bell::Belled;

/// The things that end a stream which its client has not ended.
#[derive(Debug)]
pub(super) struct Endings {
    /// The process leaves.
    pub(super) stopping: CancellationToken,
    /// The access token ends.
    pub(super) token_expires: Instant,
    /// The access token is called in.
    pub(super) token: Watch,
    /// The person may not listen to this any more.
    pub(super) stay: Option<CancellationToken>,
}

/// Which of them it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farewell {
    Stopping,
    TokenExpired,
    TokenRevoked,
    NotAMember,
}

/// The first of them.
#[derive(Debug)]
pub(super) struct Ending(Belled<Farewell>);

impl Ending {
    pub(super) fn of(endings: Endings) -> Self {
        Self(Belled::new(endings.first()))
    }

    /// Resolves when it is time to leave, once. May be dropped and called again.
    pub(super) async fn reached(&mut self) -> Farewell {
        (&mut self.0).await
    }
}

impl Endings {
    async fn first(mut self) -> Farewell {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Farewell::Stopping,
            () = self.token.revoked() => Farewell::TokenRevoked,
            () = sleep_until(self.token_expires) => Farewell::TokenExpired,
            () = ended(self.stay.as_ref()) => Farewell::NotAMember,
        }
    }
}

async fn ended(stay: Option<&CancellationToken>) {
    match stay {
        Some(stay) => stay.cancelled().await,
        None => std::future::pending().await,
    }
}
