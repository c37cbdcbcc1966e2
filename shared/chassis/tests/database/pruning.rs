//! What is over is deleted, a few rows at a time, and nothing else is.

use std::time::Duration;

use lyceum_chassis::clock;
use lyceum_chassis::database::Database;
use lyceum_chassis::retention::{Pace, Pruner, delete_over};
use sea_orm::{ColumnTrait, EntityTrait, QueryOrder};

use crate::support::topic::{Column, Entity};
use crate::support::{database, insert_topic};

const PACE: Pace = Pace {
    every: Duration::from_hours(1),
    batch: 2,
};

async fn topics(names: &[&str]) -> (Database, impl Drop) {
    let (database, place) = database().await;
    for name in names {
        insert_topic(&database, name).await.unwrap();
    }
    (database, place)
}

async fn left(database: &Database) -> Vec<String> {
    let topics = Entity::find().order_by_asc(Column::Id).all(database).await;
    topics
        .unwrap()
        .into_iter()
        .map(|topic| topic.name)
        .collect()
}

#[tokio::test]
async fn at_most_so_many_rows_are_deleted_at_once() {
    let (database, _place) = topics(&["old 1", "old 2", "new", "old 3"]).await;
    let over = || Column::Name.starts_with("old");
    for deleted in [2, 1, 0] {
        let delete = delete_over::<Entity>(&database, Column::Id, over(), 2);
        assert_eq!(delete.await.unwrap(), deleted);
    }
    assert_eq!(left(&database).await, ["new"]);
}

#[tokio::test]
async fn every_row_that_is_over_goes_wherever_it_stands() {
    let (database, _place) = topics(&["old 1", "new", "old 2", "old 3"]).await;
    let over = |_| Column::Name.starts_with("old");
    let pruner = Pruner::of::<Entity>("topics", &database, PACE, Column::Id, over);
    assert_eq!(pruner.prune(clock::now()).await.unwrap(), 3);
    assert_eq!(left(&database).await, ["new"]);
}

#[tokio::test]
async fn where_the_oldest_stand_first_nobody_looks_behind_those_that_stay() {
    let (database, _place) = topics(&["old 1", "old 2", "old 3", "new", "old 4"]).await;
    let over = |_| Column::Name.starts_with("old");
    let pruner = Pruner::of_oldest::<Entity>("topics", &database, PACE, Column::Id, over);
    assert_eq!(pruner.prune(clock::now()).await.unwrap(), 3);
    assert_eq!(left(&database).await, ["new", "old 4"]);
}
