//! The loop: claims what is due, does it step by step, waits.

use futures_util::future::join_all;
use lyceum_chassis::Chassis;
use lyceum_chassis::clock;
use lyceum_chassis::database::DbErr;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::crier::{Crier, Stepped};
use super::metrics::COUNT_EVERY;
use super::retention::pruner;
use super::store;

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
        let lanes = (0..self.settings.concurrency).map(|_| self.work(&stop));
        tokio::select! {
            _ = join_all(lanes) => {}
            () = self.count() => {}
        }
    }

    async fn work(&self, stop: &CancellationToken) {
        let mut failures = 0;
        while !stop.is_cancelled() {
            match self.run_next(stop).await {
                Ok(true) => {
                    failures = 0;
                    continue;
                }
                Ok(false) => failures = 0,
                Err(error) => {
                    // One line when it begins, not one per try.
                    if failures == 0 {
                        tracing::error!(event = "broadcasts.database_failed", %error, "broadcasts wait");
                    }
                    failures += 1;
                }
            }
            stop.run_until_cancelled(self.pause(failures)).await;
        }
    }

    /// Until it is time to look again. A wake-up does not cut a pause that the database needs.
    async fn pause(&self, failures: i64) {
        if failures > 0 {
            return sleep(self.backoff(failures)).await;
        }
        tokio::select! {
            () = self.broadcasts.woken() => {}
            () = sleep(self.settings.poll()) => {}
        }
    }

    /// Tells the broadcast that is due, as far as it gets; whether there was one.
    async fn run_next(&self, stop: &CancellationToken) -> Result<bool, DbErr> {
        let Some(mut walk) = self.claim().await? else {
            return Ok(false);
        };
        while !stop.is_cancelled() {
            if self.step(&mut walk).await? == Stepped::Over {
                return Ok(true);
            }
        }
        walk.broadcast.due_at = clock::now();
        self.give_back(&walk.broadcast).await?;
        Ok(true)
    }

    /// Never ends.
    async fn count(&self) {
        loop {
            // A database that fails is reported by the work.
            if let Ok(broadcasts) = store::count_unfinished(&self.database).await {
                self.metrics.unfinished(broadcasts);
            }
            sleep(COUNT_EVERY).await;
        }
    }
}
