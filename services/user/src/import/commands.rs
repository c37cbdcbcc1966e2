//! From a body to a job: an upload is received, and then begun, or nothing is left of it.

use lyceum_chassis::clock;
use lyceum_chassis::database::{Database, DbErr};
use lyceum_chassis::http::{Answer, parse_line};
use lyceum_chassis::idempotency::{Begun, Keyed, KeyedError};
use lyceum_contracts::ids::UserId;
use time::OffsetDateTime;
use tokio::sync::Notify;

use super::body::{BodyError, Lines};
use super::domain::{CHUNK, Faulty, Invitee, MAX_FAULTS, StagedLine};
use super::store;
use super::work::{Import, Uploaded};
use crate::jobs::commands::enqueue;

/// Why an upload was not received.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveError {
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("there are more than {0} lines")]
    TooManyLines(u64),
    #[error("there is no line")]
    Empty,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// An upload that was received whole and that no job knows yet.
#[derive(Debug)]
#[must_use = "an upload is begun, or it stays for nobody"]
pub(crate) struct Received {
    /// What makes two bodies the same.
    pub(crate) digest: String,
    upload: Uploaded,
    /// Lines in order.
    lines: u64,
}

/// Receives a body of at most `max_lines` lines; what was written of one that is refused is
/// deleted.
pub(crate) async fn receive(
    database: &Database,
    mut lines: Lines,
    max_lines: u64,
) -> Result<Received, ReceiveError> {
    let id = store::insert(database, clock::now()).await?;
    let mut staging = Staging::new(id);
    match staging.fill(database, &mut lines, max_lines).await {
        Ok(()) => Ok(Received {
            digest: lines.digest(),
            upload: staging.upload,
            lines: staging.lines,
        }),
        Err(error) => {
            store::discard(database, id).await?;
            Err(error)
        }
    }
}

/// An upload being received.
struct Staging {
    upload: Uploaded,
    lines: u64,
    good: Vec<StagedLine>,
    faulty: Vec<Faulty>,
}

impl Staging {
    fn new(import_id: i64) -> Self {
        Self {
            upload: Uploaded {
                import_id,
                faulty: 0,
                kept: 0,
            },
            lines: 0,
            good: Vec::new(),
            faulty: Vec::new(),
        }
    }

    async fn fill(
        &mut self,
        database: &Database,
        lines: &mut Lines,
        max_lines: u64,
    ) -> Result<(), ReceiveError> {
        while let Some(line) = lines.next().await? {
            if line.number > max_lines {
                return Err(ReceiveError::TooManyLines(max_lines));
            }
            match parse_line::<Invitee>(&line.bytes) {
                Ok(invitee) => {
                    self.lines += 1;
                    self.good.push(StagedLine::new(line.number, invitee));
                }
                Err(errors) => {
                    self.upload.faulty += 1;
                    if self.upload.kept < MAX_FAULTS {
                        self.upload.kept += 1;
                        self.faulty.push(Faulty::unreadable(line.number, errors));
                    }
                }
            }
            if self.good.len() >= CHUNK || self.faulty.len() >= CHUNK {
                self.write(database).await?;
            }
        }
        if self.lines == 0 && self.upload.faulty == 0 {
            return Err(ReceiveError::Empty);
        }
        Ok(self.write(database).await?)
    }

    async fn write(&mut self, database: &Database) -> Result<(), DbErr> {
        let import = self.upload.import_id;
        let transaction = database.begin_write().await?;
        store::touch(&transaction, import, clock::now()).await?;
        if !self.good.is_empty() {
            store::insert_chunk(&transaction, import, &self.good).await?;
        }
        store::insert_faults(&transaction, import, &self.faulty).await?;
        transaction.commit().await?;
        self.good.clear();
        self.faulty.clear();
        Ok(())
    }
}

/// Writes the job of an upload, once per key; without the job nothing is left of the upload.
pub(crate) async fn import_users(
    database: &Database,
    bell: &Notify,
    keyed: Keyed,
    owner: UserId,
    received: Received,
    now: OffsetDateTime,
) -> Result<Answer, KeyedError> {
    let Received { upload, lines, .. } = received;
    let import = upload.import_id;
    let transaction = match keyed.begin(database, now).await {
        Ok(Begun::First(transaction)) => transaction,
        Ok(Begun::Again(answer)) => {
            store::discard(database, import).await?;
            return Ok(answer);
        }
        Err(error) => {
            store::discard(database, import).await?;
            return Err(error);
        }
    };
    let total = i64::try_from(lines + upload.faulty).ok();
    let job = enqueue::<Import>(&transaction, owner, &upload, total, now).await?;
    store::attach(&transaction, import, job.id).await?;
    let id = job.id;
    let answer = transaction.commit(job).await?;
    bell.notify_one();
    tracing::info!(
        event = "import.received",
        job.id = id.get(),
        lines,
        faulty = upload.faulty,
        "a list of people was uploaded"
    );
    Ok(answer)
}
