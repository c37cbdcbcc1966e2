//! Answers are kept for a time: they hold personal data, and nobody repeats a request that long.

use std::time::Duration;

use sea_orm::ColumnTrait;

use super::IdempotencySettings;
use super::entity::{Column, Entity};
use crate::database::Database;
use crate::retention::{Pace, Pruner};

const PACE: Pace = Pace {
    every: Duration::from_mins(1),
    batch: 500,
};

/// Forgets the keys of a database whose time is over.
pub fn pruner(database: &Database, settings: IdempotencySettings) -> Pruner {
    let keep = settings.keep();
    Pruner::of_oldest::<Entity>("idempotency keys", database, PACE, Column::Id, move |now| {
        Column::CreatedAt.lt(now - keep)
    })
}
