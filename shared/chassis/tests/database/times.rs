//! Times and ids come back as they were kept, and sort as they are, on both engines.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::support::{
    connect, database, first_note, insert_note, insert_topic, note, scalar, settings,
};

#[tokio::test]
async fn a_time_comes_back_in_utc_to_the_microsecond() {
    let (database, _place) = database().await;
    let topic_id = insert_topic(&database, "logic").await.unwrap();
    let note = note::Model {
        written_at: datetime!(2026-01-02 05:04:05.123_456 +2),
        read_at: Some(datetime!(2026-01-02 03:04:05.999_999_999 UTC)),
        ..first_note(topic_id)
    };
    insert_note(&database, note).await.unwrap();
    let kept = note::Entity::find().one(&database).await.unwrap().unwrap();
    assert_eq!(kept.written_at, datetime!(2026-01-02 03:04:05.123_456 UTC));
    assert!(kept.written_at.offset().is_utc());
    assert_eq!(
        kept.read_at,
        Some(datetime!(2026-01-02 03:04:05.999_999 UTC))
    );
}

#[tokio::test]
async fn the_clock_of_the_chassis_loses_nothing_in_the_database() {
    let (database, _place) = database().await;
    let topic_id = insert_topic(&database, "logic").await.unwrap();
    let now = lyceum_chassis::clock::now();
    let note = note::Model {
        written_at: now,
        ..first_note(topic_id)
    };
    assert_eq!(insert_note(&database, note).await.unwrap().written_at, now);
}

#[tokio::test]
async fn times_sort_and_compare_within_a_second() {
    let (database, _place) = database().await;
    let topic_id = insert_topic(&database, "logic").await.unwrap();
    let second = datetime!(2026-01-02 03:04:05 UTC);
    let order: [OffsetDateTime; 4] = [
        second,
        second + Duration::microseconds(1),
        second + Duration::milliseconds(500),
        second + Duration::seconds(1),
    ];
    for (position, written_at) in (1..).zip(order.iter().rev().copied()) {
        let body = position.to_string();
        let note = note::Model {
            position,
            body,
            written_at,
            ..first_note(topic_id)
        };
        insert_note(&database, note).await.unwrap();
    }
    let until_half = note::Entity::find()
        .filter(note::Column::WrittenAt.lte(order[2]))
        .order_by_asc(note::Column::WrittenAt)
        .all(&database)
        .await
        .unwrap();
    let found: Vec<_> = until_half.iter().map(|note| note.written_at).collect();
    assert_eq!(found, order[..3]);
}

#[tokio::test]
async fn ids_count_up_and_are_not_given_twice() {
    let (database, place) = database().await;
    let first = insert_topic(&database, "logic").await.unwrap();
    let second = insert_topic(&database, "rhetoric").await.unwrap();
    assert!(second > first);
    topic_is_deleted(&database, second).await;
    database.close().await;

    let reopened = connect(&settings(place.url())).await;
    assert!(insert_topic(&reopened, "grammar").await.unwrap() > second);
    let left: i64 = scalar(&reopened, "SELECT count(*) FROM topics").await;
    assert_eq!(left, 2);
    reopened.close().await;
}

async fn topic_is_deleted(database: &lyceum_chassis::database::Database, id: i64) {
    let deleted = crate::support::topic::Entity::delete_by_id(id)
        .exec(database)
        .await
        .unwrap();
    assert_eq!(deleted.rows_affected, 1);
}
