//! Answers are kept for a time: they hold personal data, and nobody repeats a request that long.

use std::time::Duration;

use super::{IdempotencySettings, store};
use crate::database::Database;
use crate::retention::{Pace, Pruner};

const PACE: Pace = Pace {
    every: Duration::from_mins(1),
    batch: 500,
};

/// Forgets the keys of a database whose time is over.
pub fn pruner(database: &Database, settings: IdempotencySettings) -> Pruner {
    let keep = settings.keep();
    let delete = move |database, now, limit| async move {
        store::delete_before(&database, now - keep, limit).await
    };
    Pruner::new("idempotency keys", database.clone(), PACE, delete)
}
