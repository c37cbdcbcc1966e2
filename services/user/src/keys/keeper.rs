//! Keeps what this process signs and verifies with in step with the table.

use std::time::Duration;

use lyceum_chassis::clock;
use lyceum_chassis::database::{Database, DbErr};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::issuer::Issuer;
use super::rotation;
use super::signing_key::KeyError;

/// How often it reads: a key that another process has made waits minutes for its turn.
const EVERY: Duration = Duration::from_secs(5);
/// How soon after a failure.
const RETRY: Duration = Duration::from_secs(1);

/// Reads the keys. Clones do the same.
#[derive(Debug, Clone)]
pub(crate) struct Keeper {
    database: Database,
    issuer: Issuer,
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Keeper {
    pub(crate) fn new(database: Database, issuer: Issuer) -> Self {
        Self { database, issuer }
    }

    /// Goes by the keys as they are. After a failure, which is told in the log, this process goes
    /// by those it knows.
    pub(crate) async fn catch_up(&self) {
        if let Err(error) = self.read().await {
            failed(&error);
        }
    }

    /// Reads again and again until told to stop; for a background task.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut failing = false;
        loop {
            let read = self.read().await;
            // One line when it begins, not one per round.
            if let (Err(error), false) = (&read, failing) {
                failed(error);
            }
            failing = read.is_err();
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(if failing { RETRY } else { EVERY }) => {}
            }
        }
    }

    async fn read(&self) -> Result<(), ReadError> {
        let rows = rotation::list(&self.database).await?;
        Ok(self.issuer.take(&rows, clock::now())?)
    }
}

fn failed(error: &ReadError) {
    tracing::warn!(
        event = "auth.signing_keys_not_read",
        %error,
        "this process goes by the signing keys it knows"
    );
}
