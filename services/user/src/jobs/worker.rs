//! The loop: claims what is due, does it step by step, waits.

use futures_util::future::join_all;
use lyceum_chassis::clock;
use lyceum_chassis::database::DbErr;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::metrics::COUNT_EVERY;
use super::runner::{Claim, Runner, Stepped, lost};
use super::store::{self, Hold};

impl Runner {
    /// Does everything that is due, job after job; how many steps it were, for tests that drive
    /// it by hand.
    ///
    /// # Errors
    /// When the database fails between two steps; jobs claimed by then are due again when their
    /// lease ends.
    pub async fn run_pending(&self) -> Result<usize, DbErr> {
        let never = CancellationToken::new();
        let mut steps = 0;
        while let Some(done) = self.run_next(&never).await? {
            steps += done;
        }
        Ok(steps)
    }

    /// Works until told to stop, which ends it between two steps: woken after a commit, and by
    /// polling for what nobody wakes it for.
    pub async fn run(self, stop: CancellationToken) {
        let lanes = (0..self.settings.concurrency).map(|_| self.work(&stop));
        tokio::select! {
            _ = join_all(lanes) => {}
            () = self.count() => {}
        }
    }

    async fn work(&self, stop: &CancellationToken) {
        let mut failures = 0;
        while !stop.is_cancelled() {
            let pause = match self.run_next(stop).await {
                Ok(Some(_)) => {
                    failures = 0;
                    continue;
                }
                Ok(None) => {
                    failures = 0;
                    self.settings.poll()
                }
                Err(error) => {
                    // One line when it begins, not one per try.
                    if failures == 0 {
                        tracing::error!(event = "jobs.database_failed", %error, "jobs wait");
                    }
                    failures += 1;
                    self.backoff(failures)
                }
            };
            // A wake-up does not cut the pause after a failure; it is kept for the next one.
            let woken = async {
                if failures == 0 {
                    self.bell.notified().await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = woken => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// Never ends.
    async fn count(&self) {
        loop {
            // A database that fails is reported by the work.
            if let Ok(jobs) = store::count_unfinished(&self.database).await {
                self.metrics.unfinished(jobs);
            }
            sleep(COUNT_EVERY).await;
        }
    }

    /// Does the job that is due, for as long as it goes further; how many steps it were. `None`
    /// when none is due.
    async fn run_next(&self, stop: &CancellationToken) -> Result<Option<usize>, DbErr> {
        let Some(mut claim) = self.claim().await? else {
            return Ok(None);
        };
        let mut steps = 0;
        while !stop.is_cancelled() {
            if self.step(&mut claim).await? != Stepped::Further {
                return Ok(Some(steps));
            }
            steps += 1;
        }
        self.release(claim).await?;
        Ok(Some(steps))
    }

    /// Gives a job back at shutdown: due at once, and not counted as a try.
    async fn release(&self, Claim(job): Claim) -> Result<(), DbErr> {
        let attempts = (job.attempts - 1).max(0);
        match store::give_back(&self.database, &job, clock::now(), attempts).await? {
            Hold::Kept => {}
            Hold::Lost => drop(lost(&job)),
        }
        Ok(())
    }
}
