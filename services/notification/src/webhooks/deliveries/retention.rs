//! Messages that have come to their end are kept for a time.

use std::time::Duration;

use lyceum_chassis::database::Database;
use lyceum_chassis::retention::{Pace, Pruner};
use sea_orm::{ColumnTrait, ExprTrait};

use crate::entity::webhook_delivery::{Column, Entity};
use crate::schedule::ENDED;
use crate::webhooks::WebhooksSettings;

/// Messages are kept for days.
const PACE: Pace = Pace {
    every: Duration::from_hours(1),
    batch: 500,
};

/// Forgets the messages that were accepted, have died or were cancelled long ago.
pub(super) fn pruner(database: &Database, settings: &WebhooksSettings) -> Pruner {
    let keep = settings.keep();
    Pruner::of::<Entity>(
        "old webhook deliveries",
        database,
        PACE,
        Column::Id,
        move |now| {
            Column::State
                .is_in(ENDED)
                .and(Column::UpdatedAt.lt(now - keep))
        },
    )
}

#[cfg(test)]
mod tests {
    use lyceum_contracts::delivery::DeliveryState;
    use lyceum_contracts::webhook::EventKind;
    use lyceum_testing::database::TestDatabase;
    use sea_orm::{EntityTrait, Set};
    use time::macros::datetime;

    use super::super::store;
    use super::*;
    use crate::entity::webhook_delivery::ActiveModel;
    use crate::test_database::{connect, settings};
    use crate::webhooks::{SigningSecret, store as receivers};

    #[tokio::test]
    async fn messages_that_came_to_their_end_long_ago_are_forgotten_and_no_others() {
        let place = TestDatabase::create();
        let database = connect(&place).await;
        let settings = settings().service.webhooks;
        let now = datetime!(2026-11-22 12:00 UTC);
        let keep = settings.keep();
        let (old, young) = (now - keep - Duration::from_secs(1), now - keep);
        let (url, secret) = ("https://example.org/".to_owned(), SigningSecret::generate());
        let webhook = receivers::insert(&database, url, EventKind::ALL, secret, old);
        let webhook = webhook.await.unwrap().id;
        let mut id = 0;
        for state in DeliveryState::ALL {
            for then in [old, young] {
                id += 1;
                let message = store::Message {
                    receivers: vec![webhook],
                    id: format!("msg_{id}"),
                    event: EventKind::UserUpdated,
                    about: 1.try_into().unwrap(),
                    body: "{}".to_owned(),
                    traceparent: None,
                };
                store::insert(&database, &[message], then).await.unwrap();
                let row = ActiveModel {
                    id: Set(id.try_into().unwrap()),
                    state: Set(*state),
                    ..Default::default()
                };
                Entity::update(row).exec(&database).await.unwrap();
            }
        }

        let pruner = pruner(&database, &settings);
        assert_eq!(pruner.prune(now).await.unwrap(), 3);
        assert_eq!(pruner.prune(now).await.unwrap(), 0);
        let left = Entity::find().all(&database).await.unwrap();
        let old: Vec<_> = left.iter().filter(|one| one.updated_at == old).collect();
        let states: Vec<_> = old.iter().map(|one| one.state).collect();
        assert_eq!(states, [DeliveryState::Queued, DeliveryState::Sending]);
        assert_eq!(left.len(), 2 * DeliveryState::ALL.len() - 3);
        database.close().await;
    }
}
