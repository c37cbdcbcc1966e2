//! Tickets nobody came with.

use std::time::Duration;

use lyceum_chassis::database::Database;
use lyceum_chassis::retention::{Pace, Pruner};
use sea_orm::ColumnTrait;

use crate::entity::stream_ticket::{Column, Entity};

/// One that is over lets nobody in; its row is in nobody's way for a while.
const PACE: Pace = Pace {
    every: Duration::from_mins(10),
    batch: 500,
};

/// Deletes tickets that are over.
pub(crate) fn pruner(database: &Database) -> Pruner {
    Pruner::of::<Entity>("stream tickets", database, PACE, Column::Digest, |now| {
        Column::ExpiresAt.lte(now)
    })
}

#[cfg(test)]
mod tests {
    use lyceum_chassis::auth::CurrentUser;
    use lyceum_chassis::clock;
    use lyceum_contracts::role::Role;
    use lyceum_testing::database::TestDatabase;

    use super::super::domain::{LIFETIME, digest};
    use super::super::store;
    use super::*;
    use crate::test_database::connect;

    #[tokio::test]
    async fn tickets_that_are_over_go_and_the_others_stay() {
        let place = TestDatabase::create();
        let database = connect(&place).await;
        let now = clock::now();
        let person = CurrentUser {
            id: 1.try_into().unwrap(),
            role: Role::Student,
            session_id: 1,
            token_version: 1,
            expires_at: now,
        };
        for (ticket, expires_at) in [("old", now), ("new", now + LIFETIME)] {
            let insert = store::insert(&database, digest(ticket), person, expires_at);
            insert.await.unwrap();
        }
        assert_eq!(pruner(&database).prune(now).await.unwrap(), 1);
        let old = store::redeem(&database, digest("old"), now - LIFETIME);
        assert_eq!(old.await.unwrap(), None);
        let new = store::redeem(&database, digest("new"), now);
        assert_eq!(new.await.unwrap(), Some(person));
        database.close().await;
    }
}
