//! Forgets sessions that have expired, with their tokens.

use std::time::Duration;

use lyceum_chassis::clock;
use lyceum_chassis::database::{Database, DbErr};
use time::OffsetDateTime;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::store;

/// How often it looks: what has expired counts for nothing, it only takes room.
const EVERY: Duration = Duration::from_hours(1);

/// Sessions forgotten by one statement, with up to some 3000 tokens each (one per 15 min for 30
/// days): few enough that nobody waits for it, on `SQLite` every writer.
const BATCH: u64 = 20;

/// Forgets the expired sessions of one database. Clones do the same.
#[derive(Debug, Clone)]
pub(crate) struct Pruner {
    database: Database,
}

impl Pruner {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Forgets every session that has expired at `now`, batch after batch; how many it were.
    pub(crate) async fn prune(&self, now: OffsetDateTime) -> Result<u64, DbErr> {
        let mut pruned = 0;
        loop {
            let batch = store::delete_expired(&self.database, now, BATCH).await?;
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
        // Without tables there are no sessions.
        if self.database.ready().await.is_err() {
            return;
        }
        match self.prune(clock::now()).await {
            Ok(0) => {}
            Ok(sessions) => {
                tracing::debug!(
                    event = "session.pruned",
                    sessions,
                    "expired sessions are forgotten"
                );
            }
            Err(error) => {
                tracing::warn!(
                    event = "session.prune_failed",
                    %error,
                    "expired sessions are kept for now"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lyceum_chassis::Service;
    use lyceum_chassis::settings::{Secret, Settings, Source, load};
    use lyceum_testing::database::TestDatabase;
    use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
    use time::macros::datetime;

    use super::*;
    use crate::App;
    use crate::entity::{refresh_token, session};
    use crate::migration::Migrator;
    use crate::sessions::Family;
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
    async fn what_has_expired_is_forgotten_with_its_tokens_however_much_there_is() {
        let place = TestDatabase::create();
        let database = connect(&place).await;
        let now = datetime!(2026-11-22 12:00 UTC);
        let ada = "INSERT INTO users (email, email_folded, full_name, password_hash, role, version, \
                   created_at, updated_at) VALUES ('a@b.c', 'a@b.c', 'Ada', '!', 'student', 1, \
                   '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z')";
        database.execute_unprepared(ada).await.unwrap();
        let user = 1_i64.try_into().unwrap();
        let transaction = database.begin_write().await.unwrap();
        for number in 0..=BATCH + 1 {
            // The last one has a second left.
            let left = Duration::from_secs(u64::from(number > BATCH));
            let opened = now - Duration::from_hours(30 * 24);
            let session = store::insert(&transaction, user, None, opened, now + left).await;
            let digest = number.to_string();
            store::insert_token(
                &transaction,
                session.unwrap().id,
                Family::NEW,
                digest,
                opened,
            )
            .await
            .unwrap();
        }
        transaction.commit().await.unwrap();

        let pruner = Pruner::new(database.clone());
        assert_eq!(pruner.prune(now).await.unwrap(), BATCH + 1);
        assert_eq!(pruner.prune(now).await.unwrap(), 0);
        assert_eq!(session::Entity::find().count(&database).await.unwrap(), 1);
        let tokens = refresh_token::Entity::find().count(&database).await;
        assert_eq!(tokens.unwrap(), 1);
        database.close().await;
    }
}
