//! Letters that have come to their end are kept for a time.

use std::time::Duration;

use lyceum_chassis::database::Database;
use lyceum_chassis::retention::{Pace, Pruner};
use sea_orm::{ColumnTrait, ExprTrait};

use super::MailSettings;
use crate::entity::mail::{Column, Entity};
use crate::schedule::ENDED;

/// Letters are kept for days.
const PACE: Pace = Pace {
    every: Duration::from_hours(1),
    batch: 500,
};

/// Forgets the letters of a database that were sent, have died or were cancelled long ago.
pub(super) fn pruner(database: &Database, settings: &MailSettings) -> Pruner {
    let keep = settings.keep();
    Pruner::of::<Entity>("old letters", database, PACE, Column::Id, move |now| {
        Column::State
            .is_in(ENDED)
            .and(Column::UpdatedAt.lt(now - keep))
    })
}

#[cfg(test)]
mod tests {
    use lyceum_contracts::delivery::DeliveryState;
    use lyceum_testing::database::TestDatabase;
    use sea_orm::EntityTrait;
    use time::macros::datetime;

    use super::*;
    use crate::entity::mail;
    use crate::mail::{Content, Letter, store};
    use crate::test_database::{connect, settings};

    #[tokio::test]
    async fn letters_that_came_to_their_end_long_ago_are_forgotten_and_no_others() {
        let place = TestDatabase::create();
        let database = connect(&place).await;
        let settings = settings().service.mail;
        let now = datetime!(2026-11-22 12:00 UTC);
        let keep = settings.keep();
        let (old, young) = (now - keep - Duration::from_secs(1), now - keep);
        let letter = Letter {
            recipient: 1.try_into().unwrap(),
            content: Content::Welcome {},
        };
        let letters = [(letter, None)];
        let mut id = 0;
        for state in DeliveryState::ALL {
            for then in [old, young] {
                id += 1;
                let message_id = || format!("<{id}@test>");
                let written = store::insert(&database, &letters, message_id, then);
                written.await.unwrap();
                let row = mail::ActiveModel {
                    id: sea_orm::Set(id.try_into().unwrap()),
                    state: sea_orm::Set(*state),
                    ..Default::default()
                };
                mail::Entity::update(row).exec(&database).await.unwrap();
            }
        }

        let pruner = pruner(&database, &settings);
        assert_eq!(pruner.prune(now).await.unwrap(), 3);
        assert_eq!(pruner.prune(now).await.unwrap(), 0);
        let left = mail::Entity::find().all(&database).await.unwrap();
        let old: Vec<_> = left.iter().filter(|mail| mail.updated_at == old).collect();
        let states: Vec<_> = old.iter().map(|mail| mail.state).collect();
        assert_eq!(states, [DeliveryState::Queued, DeliveryState::Sending]);
        assert_eq!(left.len(), 2 * DeliveryState::ALL.len() - 3);
        database.close().await;
    }
}
