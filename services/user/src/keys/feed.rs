//! The list of revocations: numbered, applied here, and handed to the services that ask.

use std::sync::Arc;
use std::time::Duration;

use lyceum_chassis::auth::Revocations;
use lyceum_chassis::clock;
use lyceum_chassis::database::{Database, DbErr};
use lyceum_contracts::revocation::RevocationPage;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::store;

/// How often other processes' revocations are looked for: well within the two seconds after which
/// a revoked token is refused everywhere, together with the way to the other services.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often what is of no use any more is deleted.
const PRUNE_EVERY: Duration = Duration::from_mins(1);

/// Reads the list for this process and for others; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Feed(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    database: Database,
    revocations: Revocations,
    /// The last place applied here. Held while reading on: one reads at a time.
    applied: Mutex<i64>,
    head: watch::Sender<i64>,
}

impl Feed {
    pub(crate) fn new(database: Database, revocations: Revocations) -> Self {
        Self(Arc::new(Shared {
            database,
            revocations,
            applied: Mutex::new(0),
            head: watch::Sender::new(0),
        }))
    }

    /// Refuses from now on what has been called in until now. Call it after a commit that called
    /// something in. A failure is told in the log: the loop comes back to it soon.
    pub(crate) async fn catch_up(&self) {
        if let Err(error) = self.read_on().await {
            failed(&error);
        }
    }

    /// Reads on every [`LOOK_EVERY`] until told to stop; for a background task.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut failing = false;
        let mut prune_at = Instant::now();
        loop {
            let read = self.read_on().await;
            // One line when it begins, not one per round.
            if let (Err(error), false) = (&read, failing) {
                failed(error);
            }
            failing = read.is_err();
            if Instant::now() >= prune_at && !failing {
                prune_at = Instant::now() + PRUNE_EVERY;
                self.prune().await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// What comes after a place, waiting up to `wait` for something to come.
    pub(super) async fn page(&self, after: i64, wait: Duration) -> Result<RevocationPage, DbErr> {
        let deadline = Instant::now() + wait;
        let mut head = self.0.head.subscribe();
        if *head.borrow() < after {
            // Another process knows more, or the list has begun anew.
            self.read_on().await?;
        }
        if *head.borrow_and_update() == after {
            let news = timeout_at(deadline, head.changed());
            if news.await.is_err() {
                return Ok(RevocationPage {
                    items: Vec::new(),
                    next: after,
                });
            }
        }
        let head = *self.0.head.borrow();
        let after = if after > head { 0 } else { after };
        let items = store::after(&self.0.database, after, clock::now()).await?;
        let next = items.last().map_or(head, |last| last.seq);
        Ok(RevocationPage { items, next })
    }

    async fn read_on(&self) -> Result<(), DbErr> {
        let shared = &*self.0;
        let mut applied = shared.applied.lock().await;
        store::number(&shared.database).await?;
        let head = store::head(&shared.database).await?;
        if head < *applied {
            *applied = 0;
        }
        while *applied < head {
            let items = store::after(&shared.database, *applied, clock::now()).await?;
            shared.revocations.add(&items);
            *applied = match items.last() {
                Some(last) if items.len() as u64 == store::PAGE => last.seq,
                Some(last) => head.max(last.seq),
                None => head,
            };
        }
        shared.head.send_if_modified(|known| {
            let news = *known != head;
            *known = head;
            news
        });
        shared.revocations.complete();
        Ok(())
    }

    async fn prune(&self) {
        let now = clock::now();
        self.0.revocations.forget_ended(now);
        if let Err(error) = store::delete_expired(&self.0.database, now).await {
            failed(&error);
        }
    }
}

fn failed(error: &DbErr) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(
        event = "auth.revocations_not_read",
        error,
        "tokens called in elsewhere still count here"
    );
}
