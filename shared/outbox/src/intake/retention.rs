//! Events are remembered for a time.

use std::time::Duration;

use lyceum_chassis::database::Database;
use lyceum_chassis::retention::{Pace, Pruner};
use sea_orm::ColumnTrait;

use super::entity::{Column, Entity};

/// Rows are kept for months, and there are many.
const PACE: Pace = Pace {
    every: Duration::from_hours(1),
    batch: 1_000,
};

/// Forgets events that had their effect more than `keep` ago: a repeat of one has its effect again.
pub fn pruner(database: &Database, keep: Duration) -> Pruner {
    Pruner::of::<Entity>(
        "processed events",
        database,
        PACE,
        Column::EventId,
        move |now| Column::ProcessedAt.lt(now - keep),
    )
}
