//! Deleted accounts are erased when their time is over.
//!
//! The whole row goes: ids are counted up by the database and never given out again, so nothing has
//! to stay in their place. Until then it stands anonymous, for those who look into what happened.

use std::time::Duration;

use lyceum_chassis::database::Database;
use lyceum_chassis::retention::{Pace, Pruner, delete_over};
use sea_orm::ColumnTrait;
use time::OffsetDateTime;

use crate::entity::user::{Column, Entity};

/// Accounts wait for days.
const PACE: Pace = Pace {
    every: Duration::from_hours(1),
    batch: 500,
};

/// Erases the accounts of a database that were deleted so long ago.
pub(crate) fn eraser(database: &Database, erase_after: Duration) -> Pruner {
    let delete = move |database, now: OffsetDateTime, limit| async move {
        let over = Column::DeletedAt.lte(now - erase_after);
        let erased = delete_over::<Entity>(&database, Column::Id, over, limit).await?;
        if erased > 0 {
            tracing::info!(
                event = "user.erased",
                accounts = erased,
                "deleted accounts are erased"
            );
        }
        Ok(erased)
    };
    Pruner::new("deleted accounts", database.clone(), PACE, delete)
}

#[cfg(test)]
mod tests {
    use lyceum_contracts::role::Role;
    use lyceum_contracts::user::AccountStatus;
    use lyceum_testing::database::TestDatabase;
    use sea_orm::{ActiveValue, Set};
    use time::OffsetDateTime;
    use time::macros::datetime;

    use super::*;
    use crate::accounts::store;
    use crate::entity::user::{ActiveModel, Model, NO_PASSWORD};
    use crate::test_database::{connect, settings};

    async fn account(database: &Database, name: &str, deleted_at: Option<OffsetDateTime>) -> Model {
        let now = datetime!(2026-01-01 12:00 UTC);
        let row = ActiveModel {
            id: ActiveValue::NotSet,
            email: Set(name.to_owned()),
            email_folded: Set(name.to_owned()),
            full_name: Set(name.to_owned()),
            full_name_folded: ActiveValue::NotSet,
            password_hash: Set(NO_PASSWORD.to_owned()),
            role: Set(Role::Student),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
            status: Set(deleted_at.map_or(AccountStatus::Active, |_| AccountStatus::Deleted)),
            token_version: Set(1),
            deleted_at: Set(deleted_at),
        };
        store::insert(database, row).await.unwrap()
    }

    #[tokio::test]
    async fn a_deleted_account_is_erased_when_its_time_is_over_and_its_id_is_never_given_again() {
        let place = TestDatabase::create();
        let database = connect(&settings(&place)).await;
        let now = datetime!(2026-11-22 12:00 UTC);
        let deleted = |ago| Some(now - Duration::from_secs(ago));
        let eraser = eraser(&database, Duration::from_hours(1));
        let kept = account(&database, "in use", None).await;
        let young = account(&database, "young", deleted(3_599)).await;
        let old = account(&database, "old", deleted(3_600)).await;

        assert_eq!(eraser.prune(now).await.unwrap(), 1);
        assert_eq!(eraser.prune(now).await.unwrap(), 0);
        for (id, is_there) in [(kept.id, true), (young.id, true), (old.id, false)] {
            let found = store::find(&database, id).await.unwrap();
            assert_eq!(found.is_some(), is_there, "{id}");
        }
        // The erased one was the newest, so its id is the first that could come back.
        let next = account(&database, "next", None).await;
        assert!(next.id > old.id, "{} {}", next.id, old.id);
        database.close().await;
    }

    #[tokio::test]
    async fn however_many_there_are_all_are_erased() {
        let place = TestDatabase::create();
        let database = connect(&settings(&place)).await;
        let now = datetime!(2026-11-22 12:00 UTC);
        for number in 0..=PACE.batch {
            account(&database, &number.to_string(), Some(now)).await;
        }
        let eraser = eraser(&database, Duration::from_secs(1));
        let later = now + Duration::from_secs(1);
        assert_eq!(eraser.prune(later).await.unwrap(), PACE.batch + 1);
        database.close().await;
    }
}
