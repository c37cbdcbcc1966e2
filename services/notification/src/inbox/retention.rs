//! What is over in inboxes is deleted: what was read, put away or has expired long ago, and what is
//! told of it.
//!
//! What waits to be read stays, however old.

use std::time::Duration;

use lyceum_chassis::database::Database;
use lyceum_chassis::retention::{Pace, Pruner};
use lyceum_contracts::ids::UserId;
use sea_orm::{ColumnTrait, Condition};
use time::OffsetDateTime;

use super::settings::{InboxSettings, days};
use crate::entity::{notification, notification_change};
use crate::sequence::forget;

/// Rows are kept for days. Few at once: each batch is a transaction that holds the people whose
/// rows they are.
const PACE: Pace = Pace {
    every: Duration::from_hours(1),
    batch: 200,
};

/// Deletes notifications that are over.
pub(crate) fn notifications(database: &Database, settings: InboxSettings) -> Pruner {
    let delete = move |database, now, limit| async move {
        use notification::{Column, Entity};
        let columns = [Column::Id, Column::UserId, Column::Seq];
        forget::<Entity, UserId>(&database, columns, over(settings, now), limit).await
    };
    Pruner::new("old notifications", database.clone(), PACE, delete)
}

/// Deletes changes that are over.
pub(crate) fn changes(database: &Database, settings: InboxSettings) -> Pruner {
    let keep = days(settings.keep_changes_days);
    let delete = move |database, now: OffsetDateTime, limit| async move {
        use notification_change::{Column, Entity};
        let columns = [Column::Id, Column::UserId, Column::Seq];
        let over = Condition::all().add(Column::CreatedAt.lte(now - keep));
        forget::<Entity, UserId>(&database, columns, over, limit).await
    };
    Pruner::new("old changes of inboxes", database.clone(), PACE, delete)
}

fn over(settings: InboxSettings, now: OffsetDateTime) -> Condition {
    use notification::Column;
    let read = Condition::all()
        .add(Column::ReadAt.lte(now - days(settings.keep_read_days)))
        .add(Column::ArchivedAt.is_null());
    Condition::any()
        .add(read)
        .add(Column::ArchivedAt.lte(now - days(settings.keep_archived_days)))
        .add(Column::ExpiresAt.lte(now - days(settings.keep_expired_days)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lyceum_contracts::notification::NotificationChange;
    use lyceum_testing::database::TestDatabase;
    use sea_orm::EntityTrait;
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::entity::recipient;
    use crate::events::domain::Notice;
    use crate::inbox::domain::Action;
    use crate::inbox::{Entry, store, tell};
    use crate::test_database::{connect, settings};

    const NOW: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);
    const SECOND: Duration = Duration::from_secs(1);

    struct Kept {
        _place: TestDatabase,
        database: Database,
        settings: InboxSettings,
    }

    impl Kept {
        async fn new() -> Self {
            let place = TestDatabase::create();
            Self {
                database: connect(&place).await,
                _place: place,
                settings: settings().service.inbox,
            }
        }

        fn person() -> UserId {
            1.try_into().unwrap()
        }

        /// Tells something, and does this with it then.
        async fn told(
            &self,
            action: Option<Action>,
            then: OffsetDateTime,
            lasts: Option<Duration>,
        ) {
            let notice = Notice {
                recipient: Self::person(),
                kind: "enrolment.created",
                title: String::new(),
                body: String::new(),
                data: json!({}),
                collapse_key: None,
                lasts,
            };
            let places = BTreeMap::from([(Self::person(), 1)]);
            let heads = crate::sequence::take(&self.database, &places)
                .await
                .unwrap();
            let told = tell(&self.database, vec![notice], heads, then).await;
            let [(_, Entry::Notification(told))] = &told.unwrap()[..] else {
                panic!("one notification");
            };
            if let Some(action) = action {
                let acted = store::apply(&self.database, Self::person(), told.id, action, then);
                assert!(acted.await.unwrap().is_some());
            }
        }

        async fn places(&self) -> Vec<i64> {
            let rows = notification::Entity::find().all(&self.database).await;
            let mut places: Vec<i64> = rows.unwrap().into_iter().map(|row| row.seq).collect();
            places.sort_unstable();
            places
        }

        async fn floor(&self) -> i64 {
            let row = recipient::Entity::find().one(&self.database).await;
            row.unwrap().unwrap().floor_seq
        }
    }

    #[tokio::test]
    async fn what_was_read_put_away_or_has_expired_long_ago_goes_and_what_waits_stays() {
        let kept = Kept::new().await;
        let read = NOW - days(kept.settings.keep_read_days);
        let archived = NOW - days(kept.settings.keep_archived_days);
        let expired = NOW - days(kept.settings.keep_expired_days);
        let (archive, mark) = (Some(Action::Archive), Some(Action::Read));
        kept.told(None, NOW - days(3_000), None).await;
        kept.told(archive, archived, None).await;
        kept.told(archive, archived + SECOND, None).await;
        kept.told(mark, read, None).await;
        kept.told(mark, read + SECOND, None).await;
        kept.told(None, expired - SECOND, Some(SECOND)).await;
        kept.told(None, expired, Some(SECOND)).await;
        let pruner = notifications(&kept.database, kept.settings);
        assert_eq!(pruner.prune(NOW).await.unwrap(), 3);
        assert_eq!(pruner.prune(NOW).await.unwrap(), 0);
        assert_eq!(kept.places().await, [1, 3, 5, 7]);
        assert_eq!(kept.floor().await, 6);
        kept.database.close().await;
    }

    #[tokio::test]
    async fn changes_go_after_their_time_and_the_floor_is_where_they_stood() {
        let kept = Kept::new().await;
        let keep = days(kept.settings.keep_changes_days);
        for (seq, then) in [(4, NOW - keep), (9, NOW - keep + SECOND)] {
            let places = BTreeMap::from([(Kept::person(), 0)]);
            crate::sequence::take(&kept.database, &places)
                .await
                .unwrap();
            let id = 7.try_into().unwrap();
            let gone = [(Kept::person(), NotificationChange::Gone { seq, id })];
            let record = crate::inbox::changes::record(&kept.database, &gone, then);
            record.await.unwrap();
        }
        let pruner = changes(&kept.database, kept.settings);
        assert_eq!(pruner.prune(NOW).await.unwrap(), 1);
        assert_eq!(kept.floor().await, 4);
        assert_eq!(pruner.prune(NOW + SECOND).await.unwrap(), 1);
        assert_eq!(kept.floor().await, 9);
        kept.database.close().await;
    }

    #[tokio::test]
    async fn however_many_are_over_all_of_them_go() {
        let kept = Kept::new().await;
        let old = NOW - days(kept.settings.keep_read_days);
        for _ in 0..=PACE.batch {
            kept.told(Some(Action::Read), old, None).await;
        }
        let pruner = notifications(&kept.database, kept.settings);
        assert_eq!(pruner.prune(NOW).await.unwrap(), PACE.batch + 1);
        assert_eq!(kept.places().await, [0; 0]);
        kept.database.close().await;
    }
}
