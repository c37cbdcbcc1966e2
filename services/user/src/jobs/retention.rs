//! Jobs that ended are kept for a time; what uploads and ended imports have left behind is not.

use std::time::Duration;

use lyceum_chassis::database::Database;
use lyceum_chassis::retention::{Pace, Pruner, delete_over};
use sea_orm::{ColumnTrait, ExprTrait};
use time::OffsetDateTime;

use super::JobSettings;
use super::store::FINISHED;
use crate::entity::job::{Column, Entity};
use crate::import;

/// Each job has up to a thousand faults.
const PACE: Pace = Pace {
    every: Duration::from_mins(1),
    batch: 10,
};

/// Forgets the jobs of a database that ended long ago.
pub(crate) fn pruner(database: &Database, settings: &JobSettings) -> Pruner {
    let keep = settings.keep();
    let delete = move |database, now: OffsetDateTime, limit| async move {
        import::prune(&database, now).await?;
        let over = Column::Status
            .is_in(FINISHED)
            .and(Column::UpdatedAt.lt(now - keep));
        delete_over::<Entity>(&database, Column::Id, over, limit).await
    };
    Pruner::new("old jobs", database.clone(), PACE, delete)
}
