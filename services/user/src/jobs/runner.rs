//! One claim, one step: what is done to a job, and what is written down of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lyceum_chassis::claims::{Hold, claim, hold};
use lyceum_chassis::clock;
use lyceum_chassis::database::{Database, DbErr};
use lyceum_contracts::job::JobStatus;
use lyceum_outbox::Waker;
use lyceum_resilience::backoff::Backoff;
use lyceum_telemetry::context;
use tokio::sync::Notify;
use tracing::{Instrument, Span};

use super::JobSettings;
use super::kinds::{Kinds, StepError};
use super::metrics::Metrics;
use super::store;
use super::work::Step;
use crate::entity::job::{Entity, Model};

/// Between the tries of a step, and of looking for work while the database is away: full jitter
/// under a ceiling that doubles from 1 s to a minute.
pub(super) const BACKOFF: Backoff =
    Backoff::doubling(Duration::from_secs(1), Duration::from_mins(1));

/// What the owner of a job reads when it is given up; the cause is in the log.
const GIVEN_UP: &str = "it failed too many times in a row; what was done by then stays done";
/// What the owner reads when no release of ours has written the job.
const UNREADABLE: &str = "its record cannot be read; what was done by then stays done";

/// Works on the jobs of one database. Clones share the wake-up.
#[derive(Debug, Clone)]
pub struct Runner {
    pub(super) database: Database,
    outbox: Waker,
    kinds: Kinds,
    pub(super) settings: JobSettings,
    pub(super) metrics: Metrics,
    pub(super) bell: Arc<Notify>,
}

/// The right to do the next step of a job, until the lease ends and somebody else takes it.
#[derive(Debug)]
#[must_use = "a job that is claimed is nobody else's until its lease ends"]
pub struct Claim(pub(super) Model);

/// What has become of a job with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepped {
    /// There is more to do.
    Further,
    /// It has succeeded, or has been given up.
    Ended(JobStatus),
    /// The step failed; the job is due again after a pause.
    PutOff,
    /// The job was cancelled, or somebody else has claimed it: the step had no effect.
    Lost,
}

impl Runner {
    /// Prepares it; nothing is done before [`Self::run`] or [`Self::run_pending`].
    pub(crate) fn new(
        database: Database,
        outbox: Waker,
        kinds: Kinds,
        settings: &JobSettings,
    ) -> Self {
        Self {
            database,
            outbox,
            kinds,
            settings: settings.clone(),
            metrics: Metrics::new(),
            bell: Arc::default(),
        }
    }

    /// To be rung after the commit of a new job.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// Takes the job that has been due for longest, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim(&self) -> Result<Option<Claim>, DbErr> {
        loop {
            let now = clock::now();
            let lease_end = now + self.settings.lease();
            let due = claim::<Entity>(&self.database, now, lease_end, 1).await?;
            let Some(job) = due.into_iter().next() else {
                return Ok(None);
            };
            tracing::info!(
                event = "job.begun",
                job.id = job.id.get(),
                kind = job.kind.as_str(),
                attempt = job.attempts,
                "a job is worked on"
            );
            // Nobody came back from the last beginnings to say what went wrong.
            if job.attempts > i64::from(self.settings.attempts) {
                self.give_up(&job, GIVEN_UP).await?;
                continue;
            }
            return Ok(Some(Claim(job)));
        }
    }

    /// Does one step of a job, in a span of its own that links to the request that asked for it.
    ///
    /// # Errors
    /// When the database fails so that not even that can be written down.
    pub async fn step(&self, claim: &mut Claim) -> Result<Stepped, DbErr> {
        let Claim(job) = claim;
        let span = step_span(job);
        async {
            let begun = Instant::now();
            let stepped = self.try_step(job).await;
            self.metrics.step(job.kind, begun.elapsed());
            match stepped {
                Ok(stepped) => Ok(stepped),
                Err(StepError::Database(error)) => self.put_off(job, &error).await,
                Err(StepError::Unreadable(error)) => {
                    tracing::error!(event = "job.unreadable", job.id = job.id.get(), %error, "a job cannot be read");
                    self.give_up(job, UNREADABLE).await
                }
            }
        }
        .instrument(span)
        .await
    }

    async fn try_step(&self, job: &mut Model) -> Result<Stepped, StepError> {
        let transaction = self.database.begin_write().await?;
        let now = clock::now();
        let lease_end = now + self.settings.lease();
        if hold(&transaction, job, lease_end).await? == Hold::Lost {
            transaction.rollback().await?;
            return Ok(lost(job));
        }
        match self.kinds.step(&transaction, job, now).await? {
            Step::Further {
                cursor,
                done,
                total,
            } => {
                let next = Model {
                    cursor: Some(cursor),
                    done,
                    total: total.or(job.total),
                    attempts: 0,
                    ..job.clone()
                };
                store::advance(&transaction, &next, now).await?;
                transaction.commit().await?;
                *job = next;
                self.outbox.wake();
                Ok(Stepped::Further)
            }
            Step::Done(result) => {
                store::succeed(&transaction, job, &result, now).await?;
                transaction.commit().await?;
                tracing::info!(
                    event = "job.succeeded",
                    job.id = job.id.get(),
                    kind = job.kind.as_str(),
                    done = job.done,
                    "a job is done"
                );
                self.metrics.finished(job.kind, JobStatus::Succeeded);
                Ok(Stepped::Ended(JobStatus::Succeeded))
            }
        }
    }

    /// A step has failed: the job is due again after a pause, or given up.
    async fn put_off(&self, job: &Model, error: &DbErr) -> Result<Stepped, DbErr> {
        // None since the last step: this is the first time the next one failed.
        let tries = u32::try_from(job.attempts.max(1)).unwrap_or(u32::MAX);
        tracing::warn!(
            event = "job.step_failed",
            job.id = job.id.get(),
            kind = job.kind.as_str(),
            attempt = tries,
            %error,
            "a step of a job failed"
        );
        if tries >= self.settings.attempts {
            return self.give_up(job, GIVEN_UP).await;
        }
        let pause = BACKOFF.delay(tries - 1, &mut fastrand::Rng::new());
        let due_at = clock::now() + pause;
        Ok(
            match store::give_back(&self.database, job, due_at, tries.into()).await? {
                Hold::Kept => Stepped::PutOff,
                Hold::Lost => lost(job),
            },
        )
    }

    async fn give_up(&self, job: &Model, reason: &str) -> Result<Stepped, DbErr> {
        match store::fail(&self.database, job, reason, clock::now()).await? {
            Hold::Kept => {
                tracing::error!(
                    event = "job.failed",
                    job.id = job.id.get(),
                    kind = job.kind.as_str(),
                    done = job.done,
                    "a job is given up"
                );
                self.metrics.finished(job.kind, JobStatus::Failed);
                Ok(Stepped::Ended(JobStatus::Failed))
            }
            Hold::Lost => Ok(lost(job)),
        }
    }
}

/// The claim no longer counts: no fault, and nothing was done under it since.
pub(super) fn lost(job: &Model) -> Stepped {
    tracing::info!(
        event = "job.lost",
        job.id = job.id.get(),
        kind = job.kind.as_str(),
        "a job was cancelled, or is somebody else's by now"
    );
    Stepped::Lost
}

fn step_span(job: &Model) -> Span {
    let span = tracing::info_span!(
        parent: None,
        "job.step",
        otel.name = "job step",
        otel.kind = "internal",
        lyceum.job.id = job.id.get(),
        lyceum.job.kind = job.kind.as_str(),
    );
    if let Some(traceparent) = &job.traceparent {
        context::link(&span, traceparent);
    }
    span
}
