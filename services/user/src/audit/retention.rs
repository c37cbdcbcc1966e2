//! Security events are kept for a time.

use std::time::Duration;

use lyceum_chassis::database::Database;
use lyceum_chassis::retention::{Pace, Pruner};
use sea_orm::ColumnTrait;

use crate::entity::audit_entry::{Column, Entity};
use crate::settings::AuditSettings;

/// Entries are kept for days.
const PACE: Pace = Pace {
    every: Duration::from_hours(1),
    batch: 500,
};

/// Forgets the entries of a database whose time is over.
pub(crate) fn pruner(database: &Database, settings: AuditSettings) -> Pruner {
    let keep = settings.keep();
    Pruner::of_oldest::<Entity>("audit entries", database, PACE, Column::Id, move |now| {
        Column::At.lt(now - keep)
    })
}

#[cfg(test)]
mod tests {
    use lyceum_testing::database::TestDatabase;
    use sea_orm::{EntityTrait, PaginatorTrait};
    use time::macros::datetime;

    use super::*;
    use crate::audit::{Action, Record, store};
    use crate::entity::audit_entry;
    use crate::test_database::{connect, settings};

    #[tokio::test]
    async fn entries_are_forgotten_when_their_time_is_over_however_many_there_are() {
        let place = TestDatabase::create();
        let database = connect(&settings(&place)).await;
        let now = datetime!(2026-11-22 12:00 UTC);
        let old = now - Duration::from_hours(400 * 24 + 1);
        let young = now - Duration::from_hours(400 * 24 - 1);
        let record = Record {
            actor: None,
            subject: None,
            action: Action::LoginFailed,
        };
        let transaction = database.begin_write().await.unwrap();
        for _ in 0..=PACE.batch {
            store::record(&transaction, record, old).await.unwrap();
        }
        store::record(&transaction, record, young).await.unwrap();
        transaction.commit().await.unwrap();

        let pruner = pruner(&database, AuditSettings { keep_days: 400 });
        assert_eq!(pruner.prune(now).await.unwrap(), PACE.batch + 1);
        assert_eq!(pruner.prune(now).await.unwrap(), 0);
        let left = audit_entry::Entity::find().count(&database).await.unwrap();
        assert_eq!(left, 1);
        database.close().await;
    }
}
