//! How a service answers, and how it leaves.
//!
//! Asked to stop: not ready → still answering while callers move away → stop accepting → drain
//! requests → end background tasks → flush telemetry → close the pool, all within the grace
//! period. Told to stop: drop everything now and say so.

use std::io;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{Parts, Server, start_operations};
use crate::lifecycle::Lifecycle;
use crate::settings::PlatformSettings;

/// The most time the flush and the pool may take each.
const LAST_STEP: Duration = Duration::from_secs(1);

/// Why the end was not a clean one.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A listener failed.
    #[error("the server failed: {0}")]
    Server(#[from] io::Error),
    /// The second signal came before the work was done.
    #[error("told to stop before the work was done")]
    Aborted,
    /// The grace period ended first.
    #[error("still at work at the end of the grace period: {}", .0.join(", "))]
    TooSlow(Vec<&'static str>),
}

impl Server {
    /// Answers until `lifecycle` ends.
    ///
    /// # Errors
    /// [`RunError`], when work was cut off or a listener failed.
    pub async fn run(self, lifecycle: Lifecycle) -> Result<(), RunError> {
        let (port, operations_port) = (self.port(), self.operations_port());
        let api = (self.start_api)(&self.parts, self.api, &lifecycle)?;
        let operations = start_operations(&self.parts, self.operations, &lifecycle)?;
        tracing::info!(
            event = "server.listening",
            port,
            operations_port,
            "listening"
        );

        let end = leave(&self.parts, &lifecycle, api.handle(), operations.handle());
        let serve = async {
            let served = tokio::try_join!(api, operations);
            // A listener that fails by itself ends the process as a signal would.
            lifecycle.ask();
            served
        };
        tokio::pin!(serve, end);
        let served = tokio::select! {
            // What is still being served has had its time: actix ends a drain no sooner than it
            // was told at the start, so it is dropped instead of waited for.
            ended = &mut end => return ended,
            served = &mut serve => served,
        };
        let ended = end.await;
        served?;
        ended
    }
}

/// Waits for the end to be asked for, then goes through its steps.
async fn leave(
    parts: &Parts,
    lifecycle: &Lifecycle,
    api: ServerHandle,
    operations: ServerHandle,
) -> Result<(), RunError> {
    lifecycle.stopping().await;
    let settings = &parts.settings.lifecycle;
    let deadline = Instant::now() + for_work(&parts.settings);
    tracing::info!(
        event = "server.draining",
        "not ready; finishing what was begun"
    );
    let drain = async {
        sleep(Duration::from_millis(settings.drain_delay_ms)).await;
        api.stop(true).await;
        parts.tasks.stop(deadline).await.map_err(RunError::TooSlow)
    };
    let outcome = tokio::select! {
        drained = timeout_at(deadline, drain) => {
            drained.unwrap_or_else(|_| Err(RunError::TooSlow(vec!["requests in flight"])))
        }
        () = lifecycle.aborted() => Err(RunError::Aborted),
    };
    if outcome.is_err() {
        // Heard only by a listener that does not drain yet; see `Server::run`.
        drop(api.stop(false));
    }
    tracing::info!(event = "server.stopped", clean = outcome.is_ok(), "stopped");
    lyceum_telemetry::flush(LAST_STEP).await;
    if timeout(LAST_STEP, parts.database.close()).await.is_err() {
        tracing::warn!(
            event = "database.close_timeout",
            "the pool did not close in time"
        );
    }
    operations.stop(false).await;
    outcome
}

/// How much of the grace period requests and tasks may use. The rest is for what comes after: one
/// flush, the pool, and the exporters' own end, which takes an export's time and a second.
fn for_work(settings: &PlatformSettings) -> Duration {
    let grace = Duration::from_millis(settings.lifecycle.grace_ms);
    let export = Duration::from_millis(settings.telemetry.export_timeout_ms);
    grace.saturating_sub(3 * LAST_STEP + export).max(grace / 2)
}

/// Seconds actix waits for requests in flight: longer than they are given, so that `leave` is the
/// one who cuts them off, and says so.
pub(super) fn drain_seconds(settings: &PlatformSettings) -> u64 {
    for_work(settings).as_secs() + 1
}
