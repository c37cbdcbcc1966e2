//! Forgets entries whose time is over.

use std::time::Duration;

use lyceum_chassis::clock;
use lyceum_chassis::database::{Database, DbErr};
use time::OffsetDateTime;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::store;
use crate::settings::AuditSettings;

/// How often it looks: entries are kept for days.
const EVERY: Duration = Duration::from_hours(1);

/// Entries forgotten by one statement: few enough that nobody waits for it, on `SQLite` every
/// writer.
const BATCH: u64 = 500;

/// Forgets the old entries of one database. Clones do the same.
#[derive(Debug, Clone)]
pub(crate) struct Pruner {
    database: Database,
    keep: Duration,
}

impl Pruner {
    pub(crate) fn new(database: Database, settings: AuditSettings) -> Self {
        Self {
            database,
            keep: settings.keep(),
        }
    }

    /// Forgets every entry whose time is over at `now`, batch after batch; how many it were.
    pub(crate) async fn prune(&self, now: OffsetDateTime) -> Result<u64, DbErr> {
        let end = now - self.keep;
        let mut pruned = 0;
        loop {
            let batch = store::delete_before(&self.database, end, BATCH).await?;
            pruned += batch;
            if batch < BATCH {
                return Ok(pruned);
            }
        }
    }

    /// Looks once an hour until told to stop, which also ends a long pass: each batch is a
    /// statement of its own.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let work = async {
            loop {
                self.pass().await;
                sleep(EVERY).await;
            }
        };
        stop.run_until_cancelled(work).await;
    }

    async fn pass(&self) {
        // Without tables there are no entries.
        if self.database.ready().await.is_err() {
            return;
        }
        match self.prune(clock::now()).await {
            Ok(0) => {}
            Ok(entries) => {
                tracing::debug!(event = "audit.pruned", entries, "old entries are forgotten");
            }
            Err(error) => {
                tracing::warn!(event = "audit.prune_failed", %error, "old entries are kept for now");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lyceum_chassis::Service;
    use lyceum_chassis::settings::{Secret, Settings, Source, load};
    use lyceum_testing::database::TestDatabase;
    use sea_orm::{EntityTrait, PaginatorTrait};
    use time::macros::datetime;

    use super::*;
    use crate::App;
    use crate::audit::{Action, Record};
    use crate::entity::audit_entry;
    use crate::migration::Migrator;
    use crate::settings::UserSettings;

    async fn connect(place: &TestDatabase) -> Database {
        let settings: Settings<UserSettings> = load(App::DEFAULTS, Source::default()).unwrap();
        let mut settings = settings.platform.database;
        settings.url = Secret::from(place.url());
        Database::connect::<Migrator>("test", &settings)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn entries_are_forgotten_when_their_time_is_over_however_many_there_are() {
        let place = TestDatabase::create();
        let database = connect(&place).await;
        let now = datetime!(2026-11-22 12:00 UTC);
        let old = now - Duration::from_hours(400 * 24 + 1);
        let young = now - Duration::from_hours(400 * 24 - 1);
        let record = Record {
            actor: None,
            subject: None,
            action: Action::LoginFailed,
        };
        let transaction = database.begin_write().await.unwrap();
        for _ in 0..=BATCH {
            store::record(&transaction, record, old).await.unwrap();
        }
        store::record(&transaction, record, young).await.unwrap();
        transaction.commit().await.unwrap();

        let pruner = Pruner::new(database.clone(), AuditSettings { keep_days: 400 });
        assert_eq!(pruner.prune(now).await.unwrap(), BATCH + 1);
        assert_eq!(pruner.prune(now).await.unwrap(), 0);
        let left = audit_entry::Entity::find().count(&database).await.unwrap();
        assert_eq!(left, 1);
        database.close().await;
    }
}
