//! The loop that writes down who is on the streams of this process.

use lyceum_chassis::clock;
use lyceum_chassis::database::{Database, DbErr};
use lyceum_contracts::ids::UserId;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::changes::{Changes, Due};
use super::settings::PresenceSettings;
use super::store;
use crate::live::Hub;

/// People written down by one statement, so that other writers get their turns.
const BATCH: usize = 500;

/// Writes down who is here.
#[derive(Debug, Clone)]
pub(crate) struct Keeper {
    database: Database,
    hub: Hub,
    changes: Changes,
    settings: PresenceSettings,
}

/// This process as the others see it.
#[derive(Debug)]
struct Replica {
    id: i64,
    /// When it last said that it lives.
    beat: Instant,
}

impl Keeper {
    /// Prepares it; `changes` are those of `hub`.
    pub(crate) const fn new(
        database: Database,
        hub: Hub,
        changes: Changes,
        settings: PresenceSettings,
    ) -> Self {
        Self {
            database,
            hub,
            changes,
            settings,
        }
    }

    /// Writes until told to stop, and then that everybody has left.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut replica = None;
        let mut failing = false;
        let pause = self.settings.write_every();
        while stop.run_until_cancelled(sleep(pause)).await.is_some() {
            let written = self.write(&mut replica).await;
            if let Err(error) = &written {
                // Begun anew, with everybody who is here then: what was not written is not missed.
                replica = None;
                // One line when it begins, not one per try.
                if !failing {
                    tracing::warn!(event = "presence.write_failed", %error, "it is not written down who is here");
                }
            }
            failing = written.is_err();
        }
        if let Some(Replica { id, .. }) = replica
            && let Err(error) = self.end(id).await
        {
            tracing::warn!(event = "presence.write_failed", %error, "everybody seems to be here until the lease ends");
        }
    }

    async fn write(&self, replica: &mut Option<Replica>) -> Result<(), DbErr> {
        let due = self.changes.take(Instant::now(), self.settings.linger());
        if let Some(replica) = replica
            && self.is_alive(replica).await?
        {
            return self.write_changes(replica.id, due).await;
        }
        *replica = None;
        let people = self.hub.people();
        if people.is_empty() {
            return Ok(());
        }
        let (now, beat) = (clock::now(), Instant::now());
        let id = store::begin(&self.database, now, now + self.settings.lease()).await?;
        *replica = Some(Replica { id, beat });
        self.seat(id, &people).await
    }

    /// Says that this process lives when it is time to; false when it was taken for dead.
    async fn is_alive(&self, replica: &mut Replica) -> Result<bool, DbErr> {
        let lease = self.settings.lease();
        if replica.beat.elapsed() < lease / 3 {
            return Ok(true);
        }
        let (now, beat) = (clock::now(), Instant::now());
        replica.beat = beat;
        store::beat(&self.database, replica.id, now, now + lease).await
    }

    async fn write_changes(&self, id: i64, Due { came, left }: Due) -> Result<(), DbErr> {
        self.seat(id, &came).await?;
        for people in left.chunks(BATCH) {
            let transaction = self.database.begin_write().await?;
            store::leave(&transaction, id, people, clock::now()).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    async fn seat(&self, id: i64, people: &[UserId]) -> Result<(), DbErr> {
        for people in people.chunks(BATCH) {
            store::seat(&self.database, id, people).await?;
        }
        Ok(())
    }

    async fn end(&self, id: i64) -> Result<(), DbErr> {
        let transaction = self.database.begin_write().await?;
        store::end(&transaction, id, clock::now()).await?;
        transaction.commit().await
    }
}
