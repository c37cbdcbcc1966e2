//! The loop: claims what is due, does it step by step, waits.

use lyceum_chassis::claims::{self, Hold, Pauses, Steps, counting, do_next};
use lyceum_chassis::clock;
use lyceum_chassis::database::DbErr;
use tokio_util::sync::CancellationToken;

use super::runner::{BACKOFF, Claim, Runner, Stepped, lost};
use super::store;

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
        while let Some(done) = do_next(self, &never).await? {
            steps += done;
        }
        Ok(steps)
    }

    /// Works until told to stop, which ends it between two steps: woken after a commit, and by
    /// polling for what nobody wakes it for.
    pub async fn run(self, stop: CancellationToken) {
        let pauses = Pauses::new(self.settings.poll(), BACKOFF);
        let work = claims::work(&self, self.settings.concurrency, pauses, &stop);
        counting(work, || self.count()).await;
    }

    async fn count(&self) {
        // A database that fails is reported by the work.
        if let Ok(jobs) = store::count_unfinished(&self.database).await {
            self.metrics.unfinished(jobs);
        }
    }
}

impl Steps for Runner {
    type Claim = Claim;

    async fn claim(&self) -> Result<Option<Claim>, DbErr> {
        self.claim().await
    }

    async fn step(&self, claim: &mut Claim) -> Result<bool, DbErr> {
        Ok(self.step(claim).await? == Stepped::Further)
    }

    /// Not counted as a try.
    async fn give_back(&self, Claim(job): Claim) -> Result<(), DbErr> {
        let attempts = (job.attempts - 1).max(0);
        match store::give_back(&self.database, &job, clock::now(), attempts).await? {
            Hold::Kept => {}
            Hold::Lost => drop(lost(&job)),
        }
        Ok(())
    }

    async fn woken(&self) {
        self.bell.notified().await;
    }

    fn hindered(&self, error: &DbErr) {
        tracing::error!(event = "jobs.database_failed", %error, "jobs wait");
    }
}
