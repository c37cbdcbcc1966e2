//! The kinds of jobs there are, and from JSON to each one's own types: the one file of this room
//! that knows the rooms whose work is done.

use lyceum_chassis::database::{DbErr, Transaction};
use lyceum_contracts::job::JobKind;
use serde_json::Value;
use time::OffsetDateTime;

use super::store;
use super::work::{Step, Task, Work};
use crate::announcements::Announce;
use crate::entity::job::Model;
use crate::import::Import;

/// The work of each kind.
#[derive(Debug, Clone)]
pub(crate) struct Kinds {
    pub(crate) import: Import,
    pub(crate) announce: Announce,
}

/// Why a step had no effect.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    /// To be tried again.
    #[error(transparent)]
    Database(#[from] DbErr),
    /// The row holds what no step has written: trying again changes nothing.
    #[error("the job's row cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

impl Kinds {
    /// One step of a job, whatever its kind.
    pub(super) async fn step(
        &self,
        transaction: &Transaction,
        job: &Model,
        now: OffsetDateTime,
    ) -> Result<Step<Value>, StepError> {
        match job.kind {
            JobKind::Import => typed(&self.import, transaction, job, now).await,
            JobKind::Announcement => typed(&self.announce, transaction, job, now).await,
        }
    }
}

async fn typed<W: Work>(
    work: &W,
    transaction: &Transaction,
    job: &Model,
    now: OffsetDateTime,
) -> Result<Step<Value>, StepError> {
    let task = Task {
        id: job.id,
        owner: job.owner_id,
        input: serde_json::from_value(job.input.clone())?,
        now,
    };
    let cursor = match &job.cursor {
        Some(cursor) => serde_json::from_value(cursor.clone())?,
        None => W::Cursor::default(),
    };
    Ok(match work.step(transaction, &task, cursor).await? {
        Step::Done(result) => Step::<Value>::Done(result),
        Step::Further {
            cursor,
            done,
            total,
        } => Step::Further {
            cursor: store::to_json(&cursor)?,
            done,
            total,
        },
    })
}
