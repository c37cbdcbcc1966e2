//! Sessions that have expired go, with their tokens.

use std::time::Duration;

use lyceum_chassis::database::Database;
use lyceum_chassis::retention::{Pace, Pruner};
use sea_orm::ColumnTrait;

use crate::entity::session::{Column, Entity};

/// What has expired counts for nothing, it only takes room. Each session has up to some 3000
/// tokens: one per 15 min for 30 days.
const PACE: Pace = Pace {
    every: Duration::from_hours(1),
    batch: 20,
};

/// Forgets the sessions of a database that have expired.
pub(crate) fn pruner(database: &Database) -> Pruner {
    Pruner::of::<Entity>("expired sessions", database, PACE, Column::Id, |now| {
        Column::ExpiresAt.lte(now)
    })
}

#[cfg(test)]
mod tests {
    use lyceum_testing::database::TestDatabase;
    use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
    use time::macros::datetime;

    use super::*;
    use crate::entity::{refresh_token, session};
    use crate::sessions::{Family, store};
    use crate::test_database::{connect, settings};

    #[tokio::test]
    async fn what_has_expired_is_forgotten_with_its_tokens_however_much_there_is() {
        let place = TestDatabase::create();
        let database = connect(&settings(&place)).await;
        let now = datetime!(2026-11-22 12:00 UTC);
        let ada = "INSERT INTO users (email, email_folded, full_name, full_name_folded, password_hash, role, \
                   version, created_at, updated_at) VALUES ('a@b.c', 'a@b.c', 'Ada', 'ada', '!', 'student', 1, \
                   '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z')";
        database.execute_unprepared(ada).await.unwrap();
        let user = 1_i64.try_into().unwrap();
        let transaction = database.begin_write().await.unwrap();
        for number in 0..=PACE.batch + 1 {
            // The last one has a second left.
            let left = Duration::from_secs(u64::from(number > PACE.batch));
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

        let pruner = pruner(&database);
        assert_eq!(pruner.prune(now).await.unwrap(), PACE.batch + 1);
        assert_eq!(pruner.prune(now).await.unwrap(), 0);
        assert_eq!(session::Entity::find().count(&database).await.unwrap(), 1);
        let tokens = refresh_token::Entity::find().count(&database).await;
        assert_eq!(tokens.unwrap(), 1);
        database.close().await;
    }
}
