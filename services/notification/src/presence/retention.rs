//! Processes that have been silent for too long are taken away, with everybody on them.

use std::time::Duration;

use lyceum_chassis::database::{Database, DbErr};
use lyceum_chassis::retention::{Pace, Pruner};
use time::OffsetDateTime;

use super::{PresenceSettings, store};

/// Nobody is there because of them any more: it is for the room they take.
const PACE: Pace = Pace {
    every: Duration::from_mins(1),
    batch: 10,
};

/// Takes away what a killed process has left behind.
pub(crate) fn pruner(database: &Database, settings: PresenceSettings) -> Pruner {
    // One that was merely held up may still come back, and find its own as it was.
    let spare = settings.lease();
    let delete = move |database, now: OffsetDateTime, limit| async move {
        end_silent(&database, now - spare, limit).await
    };
    Pruner::new("silent replicas", database.clone(), PACE, delete)
}

async fn end_silent(database: &Database, end: OffsetDateTime, limit: u64) -> Result<u64, DbErr> {
    let silent = store::silent_since(database, end, limit).await?;
    for id in &silent {
        let transaction = database.begin_write().await?;
        // Unless it has come back meanwhile, or another has done this.
        if let Some(replica) = store::lock_silent(&transaction, *id, end).await? {
            store::end(&transaction, replica.id, replica.beat_at).await?;
        }
        transaction.commit().await?;
    }
    Ok(silent.len() as u64)
}

#[cfg(test)]
mod tests {
    use lyceum_testing::database::TestDatabase;
    use time::macros::datetime;

    use super::super::domain::presence;
    use super::*;
    use crate::test_database::{connect, settings};

    #[tokio::test]
    async fn a_silent_process_is_taken_away_and_leaves_when_each_was_last_there() {
        let place = TestDatabase::create();
        let database = connect(&place).await;
        let settings = settings().service.presence;
        let now = datetime!(2026-11-22 12:30:10 UTC);
        let lease = settings.lease();
        let [ada, bob] = [1, 2].map(|id| id.try_into().unwrap());
        let killed_at = now - lease - lease - Duration::from_secs(1);
        let killed = store::begin(&database, killed_at, killed_at + lease)
            .await
            .unwrap();
        store::seat(&database, killed, &[ada, bob]).await.unwrap();
        let living = store::begin(&database, now, now + lease).await.unwrap();
        store::seat(&database, living, &[bob]).await.unwrap();

        let pruner = pruner(&database, settings);
        let before = said(&database, ada, now).await;
        assert_eq!(pruner.prune(now).await.unwrap(), 1);
        assert_eq!(pruner.prune(now).await.unwrap(), 0);
        let seen = datetime!(2026-11-22 12:29 UTC);
        assert_eq!(said(&database, ada, now).await, (false, Some(seen)));
        assert_eq!(said(&database, ada, now).await, before, "nothing is lost");
        assert!(said(&database, bob, now).await.0);
        assert_eq!(store::count(&database, now).await.unwrap(), 1);
        assert!(!store::beat(&database, killed, now, now).await.unwrap());
        database.close().await;
    }

    async fn said(
        database: &Database,
        user: lyceum_contracts::ids::UserId,
        now: OffsetDateTime,
    ) -> (bool, Option<OffsetDateTime>) {
        let mut traces = store::traces(database, &[user]).await.unwrap();
        let said = presence(user, &traces.remove(&user).unwrap(), false, now);
        (said.online, said.last_seen_at)
    }
}
