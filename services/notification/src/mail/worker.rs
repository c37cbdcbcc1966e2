//! The loop: sends a few at once, and writes down what became of each.
//!
//! Letters flow: while some are on their way the next are claimed, and whoever is slow holds up
//! one place of `mail.concurrency`, not the others. What has been sent is written down together.

use std::time::Duration;

use futures_util::stream;
use lyceum_chassis::Chassis;
use lyceum_chassis::claims::{counting, insist};
use lyceum_chassis::clock;
use lyceum_chassis::database::DbErr;
use lyceum_resilience::backoff::Backoff;
use lyceum_resilience::concurrency::for_each_bounded;
use tokio::sync::mpsc::{self, Receiver};
use tokio_util::sync::CancellationToken;

use super::parcel::Parcel;
use super::retention::pruner;
use super::sender::Sender;
use super::source::Source;
use super::store;
use crate::entity::mail::Model;
use crate::schedule::{self, Outcome};

/// Between looks while something is in the way: full jitter under a ceiling that doubles from half
/// a second to 10 s.
pub(super) const BACKOFF: Backoff =
    Backoff::doubling(Duration::from_millis(500), Duration::from_secs(10));

impl Sender {
    /// Starts what this room does in the background.
    pub(crate) fn start(self, chassis: &Chassis) {
        chassis.prune(pruner(&self.database, &self.settings));
        if self.settings.run {
            let tasks = &chassis.tasks;
            tasks.spawn("mail", move |stop| self.clone().run(stop));
        }
    }

    /// Sends until told to stop: woken after a commit, and by polling for what nobody wakes it for.
    /// What is on its way then is finished, what was only claimed is given back.
    async fn run(self, stop: CancellationToken) {
        counting(Box::pin(self.work(&stop)), || self.count()).await;
    }

    async fn work(&self, stop: &CancellationToken) {
        // As many wait to be written down as are on their way: so few are sent twice when this
        // process is killed.
        let (tell, told) = mpsc::channel(self.settings.concurrency);
        let source = Source::new(self.clone(), stop.clone());
        let letters = stream::unfold(source, Source::next);
        // Owns `tell`, whose end is the end of the other.
        let sender = self.clone();
        let sending = async move {
            for_each_bounded(letters, sender.settings.concurrency, |parcel: Parcel| {
                let (sender, tell) = (sender.clone(), tell.clone());
                async move {
                    let outcome = sender.deliver(&parcel).await;
                    // Its receiver is dropped after its senders.
                    for mail in parcel.into_all() {
                        tell.send((mail, outcome.clone())).await.ok();
                    }
                }
            })
            .await;
        };
        tokio::join!(sending, self.settle_all(told, stop));
    }

    async fn settle_all(&self, mut told: Receiver<(Model, Outcome)>, stop: &CancellationToken) {
        let mut batch = Vec::new();
        while told.recv_many(&mut batch, self.settings.concurrency).await > 0 {
            // Everything behind it waits with it.
            insist(
                BACKOFF,
                stop,
                || self.settle(&batch),
                |error| {
                    tracing::error!(event = "mail.database_failed", %error, "what became of letters is not written down yet");
                },
            )
            .await;
            batch.clear();
        }
    }

    /// Writes down what became of letters; again changes nothing.
    async fn settle(&self, batch: &[(Model, Outcome)]) -> Result<(), DbErr> {
        let now = clock::now();
        let sent = batch
            .iter()
            .filter(|(_, outcome)| *outcome == Outcome::Sent)
            .map(|(mail, _)| mail.id);
        let sent: Vec<_> = sent.collect();
        if !sent.is_empty() {
            store::mark_sent(&self.database, sent, now).await?;
        }
        let mut rng = fastrand::Rng::new();
        for (mail, outcome) in batch {
            if *outcome != Outcome::Sent {
                let standing = schedule::after(outcome, mail.attempts, now, &mut rng);
                store::settle(&self.database, mail, standing, now).await?;
            }
        }
        Ok(())
    }

    async fn count(&self) {
        // A database that fails is reported by the work.
        if let Ok(backlog) = store::backlog(&self.database).await {
            self.metrics.backlog(&backlog, clock::now());
        }
    }
}
