//! Callers without a pause, and what they saw.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use lyceum_testing::http::{Client, Response};
use tokio::time::Instant;

/// What callers saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// How long each answer took, sorted.
    pub took: Vec<Duration>,
    /// Traces of the last answers, one per caller that had any.
    pub last: Vec<String>,
    /// What was not answered, or with another status than the expected one.
    pub failures: Vec<String>,
}

/// Lets callers end, and says how far they are.
#[derive(Debug, Default)]
pub struct Watch {
    ended: AtomicBool,
    answered: AtomicU64,
}

impl Watch {
    /// How many answers there were so far.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Tells the callers to end after the request they are at.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Waits until there are so many more answers, or the load has ended.
    pub async fn more(&self, count: u64) {
        let wanted = self.answered() + count;
        crate::eventually("more answers", async || {
            let ended = self.ended.load(Ordering::Relaxed);
            (ended || self.answered() >= wanted).then_some(())
        })
        .await;
    }
}

impl Seen {
    /// The duration below which this share of the answers stayed.
    ///
    /// # Panics
    /// When there was no answer.
    pub fn quantile(&self, share: f64) -> Duration {
        assert!(!self.took.is_empty(), "nothing was answered");
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "an index within the list"
        )]
        let index = (self.took.len() as f64 * share) as usize;
        self.took[index.min(self.took.len() - 1)]
    }
}

/// So many callers, each on connections of its own, ask until `watch` ends them or the server
/// tells them to leave by `Connection: close`, as balancers and clients are told.
pub async fn callers(
    count: usize,
    base_url: &str,
    watch: &Watch,
    ask: impl AsyncFn(&Client) -> Result<Response, String>,
) -> Seen {
    let caller = async || {
        let (client, mut seen) = (Client::new(base_url), Seen::default());
        while !watch.ended.load(Ordering::Relaxed) {
            let begun = Instant::now();
            match ask(&client).await {
                Ok(answer) if answer.status < 300 => {
                    seen.took.push(begun.elapsed());
                    watch.answered.fetch_add(1, Ordering::Relaxed);
                    seen.last = answer
                        .header("x-trace-id")
                        .map(str::to_owned)
                        .into_iter()
                        .collect();
                    if answer.header("connection") == Some("close") {
                        break;
                    }
                }
                // One failure says enough, and ends the load for all.
                Ok(answer) => {
                    let failure = format!("{}: {}", answer.status, answer.text());
                    seen.failures.push(failure);
                    watch.end();
                }
                Err(failure) => {
                    seen.failures.push(failure);
                    watch.end();
                }
            }
        }
        seen
    };
    let all = join_all((0..count).map(|_| caller())).await;
    let mut together = Seen::default();
    for seen in all {
        together.took.extend(seen.took);
        together.last.extend(seen.last);
        together.failures.extend(seen.failures);
    }
    together.took.sort_unstable();
    together
}
