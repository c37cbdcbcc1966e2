//! What a kind of job is: its input, its cursor, and one step from the one to the next.

use std::future::Future;

use lyceum_chassis::database::{DbErr, Transaction};
use lyceum_contracts::ids::{JobId, UserId};
use lyceum_contracts::job::{JobKind, JobResult};
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

/// A kind of job.
pub(crate) trait Work: Sync {
    /// Its word.
    const KIND: JobKind;
    /// What was asked; kept as JSON.
    type Input: Serialize + DeserializeOwned + Send + Sync;
    /// How far it is; kept as JSON. The default is the beginning.
    type Cursor: Serialize + DeserializeOwned + Default + Send;

    /// Goes on from `cursor` by some milliseconds of work, inside `transaction`, which commits the
    /// effect and the next cursor together. A failure is tried again from the same cursor.
    fn step(
        &self,
        transaction: &Transaction,
        task: &Task<Self::Input>,
        cursor: Self::Cursor,
    ) -> impl Future<Output = Result<Step<Self::Cursor>, DbErr>> + Send;
}

/// A job as its work sees it.
#[derive(Debug)]
pub(crate) struct Task<I> {
    pub(crate) id: JobId,
    /// Who asked for it.
    pub(crate) owner: UserId,
    pub(crate) input: I,
    /// When this step was begun.
    pub(crate) now: OffsetDateTime,
}

/// Where a step has led.
#[derive(Debug)]
pub(crate) enum Step<C> {
    /// There is more to do.
    Further {
        cursor: C,
        /// How much is done by now.
        done: i64,
        /// How much there is to do, if that is known by now.
        total: Option<i64>,
    },
    /// There was nothing left to do, and this step did nothing.
    Done(JobResult),
}
