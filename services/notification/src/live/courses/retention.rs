//! What has happened in courses long ago is deleted.

use std::time::Duration;

use lyceum_chassis::database::Database;
use lyceum_chassis::retention::{Pace, Pruner};
use lyceum_contracts::ids::CourseId;
use sea_orm::{ColumnTrait, Condition};
use time::OffsetDateTime;

use super::settings::CoursesSettings;
use crate::entity::course_news::{Column, Entity};
use crate::inbox::settings::days;
use crate::sequence::forget;

/// Rows are kept for days. Few at once: each batch is a transaction that holds its courses.
const PACE: Pace = Pace {
    every: Duration::from_hours(1),
    batch: 200,
};

/// Deletes what has happened too long ago.
pub(crate) fn pruner(database: &Database, settings: CoursesSettings) -> Pruner {
    let keep = days(settings.keep_days);
    let delete = move |database, now: OffsetDateTime, limit| async move {
        let columns = [Column::Id, Column::CourseId, Column::Seq];
        let over = Condition::all().add(Column::CreatedAt.lte(now - keep));
        forget::<Entity, CourseId>(&database, columns, over, limit).await
    };
    Pruner::new("old news of courses", database.clone(), PACE, delete)
}

#[cfg(test)]
mod tests {
    use lyceum_testing::database::TestDatabase;
    use serde_json::json;
    use time::macros::datetime;

    use super::super::domain::Happening;
    use super::super::{erase, store, tell};
    use super::*;
    use crate::test_database::{connect, settings};

    const NOW: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);

    async fn happens(database: &Database, course: i64, then: OffsetDateTime) -> Option<i64> {
        let happening = Happening {
            course: course.try_into().unwrap(),
            kind: "course.updated",
            data: json!({}),
        };
        let told = tell(database, happening, then).await.unwrap();
        told.map(|news| news.seq)
    }

    async fn places(database: &Database, course: i64) -> Vec<i64> {
        let news = store::after(database, course.try_into().unwrap(), 0, 100).await;
        news.unwrap().iter().map(|it| it.seq).collect()
    }

    #[tokio::test]
    async fn what_is_old_goes_and_the_floor_is_where_it_stood() {
        let place = TestDatabase::create();
        let database = connect(&place).await;
        let settings = settings().service.courses;
        let old = NOW - days(settings.keep_days);
        let young = old + Duration::from_secs(1);
        for (course, then) in [(1, old), (1, old), (2, old), (1, young), (2, young)] {
            assert!(happens(&database, course, then).await.is_some());
        }
        let pruner = pruner(&database, settings);
        assert_eq!(pruner.prune(NOW).await.unwrap(), 3);
        assert_eq!(pruner.prune(NOW).await.unwrap(), 0);
        for (course, floor, head) in [(1, 2, 3), (2, 1, 2)] {
            assert_eq!(places(&database, course).await, [head]);
            let position = store::position(&database, course.try_into().unwrap()).await;
            let position = position.unwrap().unwrap();
            assert_eq!((position.floor_seq, position.head_seq), (floor, head));
        }
        database.close().await;
    }

    #[tokio::test]
    async fn a_course_that_is_erased_leaves_nothing_and_nothing_comes_after_it() {
        let place = TestDatabase::create();
        let database = connect(&place).await;
        for course in [1, 2, 1] {
            happens(&database, course, NOW).await;
        }
        for course in [1, 3] {
            let course = course.try_into().unwrap();
            erase(&database, course, NOW).await.unwrap();
            assert_eq!(store::position(&database, course).await.unwrap(), None);
        }
        for course in [1, 3] {
            assert_eq!(happens(&database, course, NOW).await, None, "too late");
            assert_eq!(places(&database, course).await, [0; 0]);
        }
        assert_eq!(places(&database, 2).await, [1]);
        database.close().await;
    }
}
