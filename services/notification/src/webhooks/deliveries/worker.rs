//! The loop: claims for whom there is room, sends, and writes down what became of each.
//!
//! What is claimed is sent at once. Nothing waits in this process, so a host that is slow holds up
//! its own places and no others', and what is claimed is never more than is on its way.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use lyceum_chassis::Chassis;
use lyceum_chassis::claims::{Pauses, counting, insist};
use lyceum_chassis::clock;
use lyceum_chassis::database::DbErr;
use lyceum_client::outside::Target;
use lyceum_resilience::backoff::Backoff;
use lyceum_resilience::deadline::Instant;
use tokio_util::sync::CancellationToken;

use super::commands::settle;
use super::courier::{Claim, Courier};
use super::retention::pruner;
use super::targets::Targets;
use super::{report, store};
use crate::entity::webhook::Model as Receiver;
use crate::webhooks::store as receivers;

/// Between looks while the database is away: full jitter under a ceiling that doubles from half a
/// second to 10 s.
const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(500), Duration::from_secs(10));

impl Courier {
    /// Starts what this room does in the background.
    pub(crate) fn start(self, chassis: &Chassis) {
        chassis.prune(pruner(&self.database, &self.settings));
        if self.settings.run {
            let tasks = &chassis.tasks;
            tasks.spawn("webhooks", move |stop| self.clone().run(stop));
        }
    }

    /// Sends until told to stop: woken after a commit, and by polling for what nobody wakes it for.
    /// What is on its way then is finished.
    async fn run(self, stop: CancellationToken) {
        counting(self.work(&stop), || self.count()).await;
    }

    async fn work(&self, stop: &CancellationToken) {
        let mut targets = Targets::new(self.settings.per_target);
        let mut under_way = FuturesUnordered::new();
        let mut pauses = Pauses::new(self.settings.poll(), BACKOFF);
        while !stop.is_cancelled() {
            let free = self.settings.concurrency - under_way.len();
            let mut ended = Vec::<String>::new();
            let claimed = {
                let mut claim = pin!(self.claim(&mut targets, free));
                loop {
                    tokio::select! {
                        claimed = &mut claim => break claimed,
                        // They go on meanwhile: one of them may hold what the claim waits for.
                        Some(authority) = under_way.next() => ended.push(authority),
                    }
                }
            };
            for authority in ended {
                targets.give_back(&authority);
            }
            match claimed {
                Ok(claims) => {
                    pauses.clear();
                    under_way.extend(claims.into_iter().map(|claim| self.carry(claim, stop)));
                }
                Err(error) => {
                    if pauses.fail() {
                        tracing::error!(event = "webhook.database_failed", %error, "messages wait");
                    }
                }
            }
            tokio::select! {
                () = pauses.wait(self.webhooks.woken(), stop) => {}
                Some(authority) = under_way.next() => targets.give_back(&authority),
            }
            while let Some(Some(authority)) = under_way.next().now_or_never() {
                targets.give_back(&authority);
            }
        }
        while under_way.next().await.is_some() {}
    }

    /// Claims what is due, as much as may be on its way: `free` in all.
    async fn claim(&self, targets: &mut Targets, mut free: usize) -> Result<Vec<Claim>, DbErr> {
        let now = clock::now();
        let mut claims = Vec::new();
        if free == 0 {
            return Ok(claims);
        }
        let mut receivers = store::receivers_with_due(&self.database, now).await?;
        // Whoever comes first gets what is free.
        fastrand::shuffle(&mut receivers);
        for receiver in receivers {
            let authority = self.authority(&receiver);
            let room = targets.room(&authority, Instant::now()).min(free);
            if room == 0 {
                continue;
            }
            let lease_end = now + self.settings.lease();
            let claimed = store::claim(&self.database, receiver.id, now, lease_end, room).await;
            let claimed = match claimed {
                // What was claimed for others is on its way all the same.
                Err(_) if !claims.is_empty() => break,
                claimed => claimed?,
            };
            free -= claimed.len();
            claims.extend(claimed.into_iter().map(|message| Claim {
                receiver: receiver.clone(),
                message,
                breaker: targets.take(&authority, Instant::now()),
                authority: authority.clone(),
            }));
        }
        Ok(claims)
    }

    /// Host and port; those that may not be sent to are one place, since nothing is.
    fn authority(&self, receiver: &Receiver) -> String {
        let target = Target::parse(&receiver.url, self.settings.reach());
        target.map_or_else(|unfit| unfit.code().to_owned(), |target| target.authority())
    }

    /// Sends one message and writes down what became of it; whose place is free then.
    fn carry(
        &self,
        claim: Claim,
        stop: &CancellationToken,
    ) -> impl Future<Output = String> + Send + use<> {
        let (courier, stop) = (self.clone(), stop.clone());
        async move {
            let attempt = courier.deliver(&claim).await;
            let (database, settings) = (&courier.database, &courier.settings);
            // It holds its place meanwhile.
            let settled = insist(
                BACKOFF,
                &stop,
                || settle(database, &claim.message, &attempt, settings, clock::now()),
                |error| {
                    tracing::error!(event = "webhook.database_failed", %error, "what became of a message is not written down yet");
                },
            );
            if let Some(Some(because)) = settled.await {
                report::disabled(&claim.message, because);
            }
            claim.authority
        }
    }

    async fn count(&self) {
        // A database that fails is reported by the work.
        if let Ok(backlog) = store::backlog(&self.database).await {
            self.metrics.backlog(&backlog, clock::now());
        }
        if let Ok(webhooks) = receivers::count_given_up(&self.database).await {
            self.metrics.disabled(webhooks);
        }
    }
}
