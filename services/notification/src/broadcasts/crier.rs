//! One step of a broadcast: a few people are told, and the place moves on, in one transaction.

use std::time::Duration;

use lyceum_chassis::claims::{Hold, hold};
use lyceum_chassis::clock;
use lyceum_chassis::database::{Database, DbErr};
use lyceum_client::{CourseClient, UserClient};
use lyceum_contracts::job::JobStatus;
use lyceum_resilience::backoff::Backoff;
use lyceum_telemetry::context;
use tracing::{Instrument, Span};

use super::audience::{Audiences, NoPage, Page};
use super::commands::Broadcasts;
use super::domain::notice;
use super::metrics::Metrics;
use super::report;
use super::settings::BroadcastsSettings;
use super::store;
use crate::entity::broadcast::Model;
use crate::live::Hub;
use crate::{inbox, sequence};

/// Between the tries of a step, and of looking for work while the database is away: full jitter
/// under a ceiling that doubles from 1 s to a minute.
pub(super) const BACKOFF: Backoff =
    Backoff::doubling(Duration::from_secs(1), Duration::from_mins(1));

/// Tells broadcasts, those of one database. Clones share the wake-up.
#[derive(Debug, Clone)]
pub(crate) struct Crier {
    pub(super) database: Database,
    hub: Hub,
    audiences: Audiences,
    pub(super) broadcasts: Broadcasts,
    pub(super) settings: BroadcastsSettings,
    pub(super) metrics: Metrics,
}

/// A broadcast this process has claimed, and whom it has read of and not told yet.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(super) broadcast: Model,
    page: Option<Page>,
}

impl From<Model> for Walk {
    fn from(broadcast: Model) -> Self {
        Self {
            broadcast,
            page: None,
        }
    }
}

/// What has become of a broadcast with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stepped {
    /// There may be more to tell.
    Further,
    /// It has ended, waits for its next try, or is somebody else's by now.
    Over,
}

/// Why a step had no effect.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error("the database failed")]
    Database(#[from] DbErr),
    #[error(transparent)]
    NoPage(#[from] NoPage),
}

impl Crier {
    /// Prepares it; nothing is done before `run`. Make it after telemetry has been set up.
    pub(crate) fn new(
        database: Database,
        hub: Hub,
        users: UserClient,
        courses: CourseClient,
        settings: BroadcastsSettings,
    ) -> Self {
        Self {
            database,
            hub,
            broadcasts: Broadcasts::new(courses.clone()),
            audiences: Audiences { users, courses },
            settings,
            metrics: Metrics::new(),
        }
    }

    /// Where broadcasts are asked for.
    pub(crate) fn broadcasts(&self) -> Broadcasts {
        self.broadcasts.clone()
    }

    /// Does one step, in a span of its own that links to the request behind it. It fails when the
    /// database does so that not even that can be written down.
    pub(super) async fn step(&self, walk: &mut Walk) -> Result<Stepped, DbErr> {
        let span = step_span(&walk.broadcast);
        async {
            match self.try_step(walk).await {
                Ok(stepped) => Ok(stepped),
                Err(StepError::NoPage(cause @ (NoPage::NoSuchCourse | NoPage::Unreadable))) => {
                    self.give_up(&walk.broadcast, &cause.to_string()).await
                }
                Err(error) => self.put_off(walk, &error).await,
            }
        }
        .instrument(span)
        .await
    }

    async fn try_step(&self, walk: &mut Walk) -> Result<Stepped, StepError> {
        let Walk { broadcast, page } = walk;
        let page = match page {
            Some(page) => page,
            None => page.insert(self.audiences.next_page(broadcast).await?),
        };
        let batch = page.people.len().min(self.settings.at_once);
        let mut next = Model {
            total: page.total.or(broadcast.total),
            error: None,
            attempts: 0,
            ..broadcast.clone()
        };
        let transaction = self.database.begin_write().await?;
        let now = clock::now();
        let lease_end = now + self.settings.lease();
        if hold(&transaction, broadcast, lease_end).await? == Hold::Lost {
            transaction.rollback().await?;
            report::lost(broadcast);
            return Ok(Stepped::Over);
        }
        let here = page.people.range(..batch).filter(|it| it.exists);
        let notices: Vec<_> = here.map(|it| notice(broadcast, it.id)).collect();
        let heads = sequence::take(&transaction, &inbox::places(&notices)).await?;
        for somebody in page.people.range(..batch) {
            next.after_id = somebody.id.get();
            if heads.contains_key(&somebody.id) {
                next.told += 1;
            } else {
                next.skipped += 1;
            }
        }
        let told = heads.len();
        let entries = inbox::tell(&transaction, notices, heads, now).await?;
        let ends = page.is_last && batch == page.people.len();
        if ends {
            next.status = JobStatus::Succeeded;
            next.total = Some(next.told + next.skipped);
        }
        store::advance(&transaction, &next, now).await?;
        transaction.commit().await?;
        for (person, entry) in &entries {
            self.hub.tell(*person, entry);
        }
        self.metrics.told(told);
        page.people.drain(..batch);
        if page.people.is_empty() {
            walk.page = None;
        }
        walk.broadcast = next;
        if ends {
            report::succeeded(&walk.broadcast);
            self.metrics.finished(JobStatus::Succeeded);
            return Ok(Stepped::Over);
        }
        Ok(Stepped::Further)
    }

    /// A step has failed: the broadcast is due again after a pause, however often that is.
    async fn put_off(&self, walk: &mut Walk, error: &StepError) -> Result<Stepped, DbErr> {
        let broadcast = &mut walk.broadcast;
        let failed = u32::try_from(broadcast.attempts).unwrap_or(u32::MAX);
        let pause = BACKOFF.delay(failed, &mut fastrand::Rng::new());
        broadcast.attempts += 1;
        broadcast.due_at = clock::now() + pause;
        broadcast.error = Some(format!("{error}; it is tried again"));
        report::put_off(broadcast, error);
        self.give_back(broadcast).await?;
        Ok(Stepped::Over)
    }

    /// Leaves a broadcast to whoever comes once it is due.
    pub(super) async fn give_back(&self, broadcast: &Model) -> Result<(), DbErr> {
        if store::give_back(&self.database, broadcast).await? == Hold::Lost {
            report::lost(broadcast);
        }
        Ok(())
    }

    async fn give_up(&self, broadcast: &Model, reason: &str) -> Result<Stepped, DbErr> {
        match store::fail(&self.database, broadcast, reason, clock::now()).await? {
            Hold::Kept => {
                report::failed(broadcast, reason);
                self.metrics.finished(JobStatus::Failed);
            }
            Hold::Lost => report::lost(broadcast),
        }
        Ok(Stepped::Over)
    }
}

fn step_span(broadcast: &Model) -> Span {
    let span = tracing::info_span!(
        parent: None,
        "broadcast.step",
        otel.name = "broadcast step",
        otel.kind = "internal",
        lyceum.broadcast.id = broadcast.id.get(),
    );
    if let Some(traceparent) = &broadcast.traceparent {
        context::link(&span, traceparent);
    }
    span
}
