//! Broadcasts that have ended are kept for a time; what they have told stays in the inboxes.

use std::time::Duration;

use lyceum_chassis::database::Database;
use lyceum_chassis::retention::{Pace, Pruner};
use sea_orm::{ColumnTrait, ExprTrait};

use super::{BroadcastsSettings, store};
use crate::entity::broadcast::{Column, Entity};

/// They are few, and kept for days; each may list a thousand people.
const PACE: Pace = Pace {
    every: Duration::from_hours(1),
    batch: 100,
};

/// Forgets the broadcasts of a database that ended long ago.
pub(super) fn pruner(database: &Database, settings: BroadcastsSettings) -> Pruner {
    let keep = settings.keep();
    Pruner::of::<Entity>("old broadcasts", database, PACE, Column::Id, move |now| {
        Column::Status
            .is_in(store::FINISHED)
            .and(Column::UpdatedAt.lt(now - keep))
    })
}

#[cfg(test)]
mod tests {
    use lyceum_contracts::broadcast::AudienceKind;
    use lyceum_contracts::job::JobStatus;
    use lyceum_testing::database::TestDatabase;
    use sea_orm::{EntityTrait, IntoActiveModel};
    use time::macros::datetime;

    use super::*;
    use crate::entity::broadcast::{Entity, Model};
    use crate::test_database::{connect, settings};

    #[tokio::test]
    async fn broadcasts_that_ended_long_ago_are_forgotten_and_no_others() {
        let place = TestDatabase::create();
        let database = connect(&place).await;
        let settings = settings().service.broadcasts;
        let now = datetime!(2026-11-22 12:00 UTC);
        let young = now - settings.keep();
        let old = young - Duration::from_secs(1);
        let mut id = 0;
        for status in JobStatus::ALL {
            for then in [old, young] {
                id += 1;
                let row = broadcast(id, *status, then).into_active_model();
                store::insert(&database, row).await.unwrap();
            }
        }

        let pruner = pruner(&database, settings);
        assert_eq!(pruner.prune(now).await.unwrap(), 3);
        assert_eq!(pruner.prune(now).await.unwrap(), 0);
        let left = Entity::find().all(&database).await.unwrap();
        let old = left.iter().filter(|one| one.updated_at == old);
        assert!(old.clone().all(|one| !one.status.is_final()));
        assert_eq!((old.count(), left.len()), (2, 7));
        database.close().await;
    }

    fn broadcast(id: i64, status: JobStatus, then: time::OffsetDateTime) -> Model {
        Model {
            id: id.try_into().unwrap(),
            author_id: None,
            audience: AudienceKind::All,
            course_id: None,
            user_ids: None,
            title: "Maintenance".to_owned(),
            body: "On Sunday.".to_owned(),
            link: None,
            collapse_key: None,
            status,
            after_id: 0,
            told: 0,
            skipped: 0,
            total: None,
            error: None,
            attempts: 0,
            claims: 0,
            due_at: then,
            traceparent: None,
            created_at: then,
            updated_at: then,
        }
    }
}
