//! The loop: claims what is due, does it step by step, waits.

use lyceum_chassis::Chassis;
use lyceum_chassis::claims::{self, Pauses, Steps, counting};
use lyceum_chassis::clock;
use lyceum_chassis::database::DbErr;
use tokio_util::sync::CancellationToken;

use super::crier::{BACKOFF, Crier, Stepped, Walk};
use super::retention::pruner;
use super::store;
use crate::entity::broadcast::Entity;

impl Crier {
    /// Starts what this room does in the background.
    pub(crate) fn start(self, chassis: &Chassis) {
        chassis.prune(pruner(&self.database, self.settings));
        if self.settings.run {
            let tasks = &chassis.tasks;
            tasks.spawn("broadcasts", move |stop| self.clone().run(stop));
        }
    }

    /// Works until told to stop, which ends it between two steps: woken after a commit, and by
    /// polling for what nobody wakes it for.
    async fn run(self, stop: CancellationToken) {
        let pauses = Pauses::new(self.settings.poll(), BACKOFF);
        let work = claims::work(&self, self.settings.concurrency, pauses, &stop);
        counting(work, || self.count()).await;
    }

    async fn count(&self) {
        // A database that fails is reported by the work.
        if let Ok(broadcasts) = store::count_unfinished(&self.database).await {
            self.metrics.unfinished(broadcasts);
        }
    }
}

impl Steps for Crier {
    type Claim = Walk;

    async fn claim(&self) -> Result<Option<Walk>, DbErr> {
        let now = clock::now();
        let lease_end = now + self.settings.lease();
        let due = claims::claim::<Entity>(&self.database, now, lease_end, 1).await?;
        Ok(due.into_iter().next().map(Walk::from))
    }

    async fn step(&self, walk: &mut Walk) -> Result<bool, DbErr> {
        Ok(self.step(walk).await? == Stepped::Further)
    }

    async fn give_back(&self, mut walk: Walk) -> Result<(), DbErr> {
        walk.broadcast.due_at = clock::now();
        self.give_back(&walk.broadcast).await
    }

    async fn woken(&self) {
        self.broadcasts.woken().await;
    }

    fn hindered(&self, error: &DbErr) {
        tracing::error!(event = "broadcasts.database_failed", %error, "broadcasts wait");
    }
}
