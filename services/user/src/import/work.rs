//! The job of an import: a chunk per step.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use lyceum_chassis::database::{DbErr, Transaction};
use lyceum_contracts::job::{ImportResult, JobKind, JobResult};
use serde::{Deserialize, Serialize};

use super::domain::{Faulty, MAX_FAULTS, StagedLine};
use super::store;
use crate::bulk::{self, Opening};
use crate::jobs::{Step, Task, Work};

/// Invites the people of an upload.
#[derive(Debug, Clone)]
pub(crate) struct Import;

/// What an upload has become by its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Uploaded {
    pub(super) import_id: i64,
    /// Lines that could not be read.
    pub(super) faulty: u64,
    /// How many of them are kept.
    pub(super) kept: u64,
}

/// What came of the lines so far; the chunks that are left say where to go on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Cursor {
    invited: u64,
    taken: u64,
    /// How many of `taken` are kept as faults.
    kept: u64,
}

impl Work for Import {
    const KIND: JobKind = JobKind::Import;
    type Input = Uploaded;
    type Cursor = Cursor;

    async fn step(
        &self,
        transaction: &Transaction,
        task: &Task<Uploaded>,
        mut cursor: Cursor,
    ) -> Result<Step<Cursor>, DbErr> {
        let upload = &task.input;
        let Some((chunk, lines)) = store::first_chunk(transaction, upload.import_id).await? else {
            return Ok(Step::Done(JobResult::Import(ImportResult {
                invited: cursor.invited,
                taken: cursor.taken,
                faulty: upload.faulty,
            })));
        };
        let Lines {
            openings,
            repeated: mut taken,
        } = Lines::sort_out(lines)?;
        let free: Vec<&Opening> = openings.values().map(|(_, opening)| opening).collect();
        let invited = bulk::open(transaction, &free, task.owner, task.now).await?;
        let had_one = openings
            .iter()
            .filter(|(address, _)| !invited.contains_key(*address));
        taken.extend(had_one.map(|(_, (line, _))| line));
        taken.sort_unstable();

        cursor.invited += invited.len() as u64;
        cursor.taken += taken.len() as u64;
        let room = MAX_FAULTS.saturating_sub(upload.kept + cursor.kept);
        let kept = taken.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        let faults: Vec<_> = taken.into_iter().take(kept).map(Faulty::taken).collect();
        store::insert_faults(transaction, upload.import_id, &faults).await?;
        cursor.kept += kept as u64;
        store::delete_chunk(transaction, chunk).await?;

        let done = upload.faulty + cursor.invited + cursor.taken;
        Ok(Step::Further {
            cursor,
            done: i64::try_from(done).unwrap_or(i64::MAX),
            total: None,
        })
    }
}

/// What the lines of a chunk ask for.
#[derive(Debug, Default)]
struct Lines {
    /// Whom they want invited, by address, with the number of the line.
    openings: BTreeMap<String, (u64, Opening)>,
    /// The numbers of those that repeat the address of one before them.
    repeated: Vec<u64>,
}

impl Lines {
    fn sort_out(lines: Vec<StagedLine>) -> Result<Self, DbErr> {
        let mut sorted = Self::default();
        for line in lines {
            let number = line.line;
            let opening = line.opening()?;
            match sorted.openings.entry(opening.address().to_owned()) {
                Entry::Vacant(free) => {
                    free.insert((number, opening));
                }
                Entry::Occupied(_) => sorted.repeated.push(number),
            }
        }
        Ok(sorted)
    }
}
