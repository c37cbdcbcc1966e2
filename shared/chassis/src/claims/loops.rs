//! What every loop that looks for work has in common.

use std::future::{Future, pending};
use std::time::Duration;

use lyceum_resilience::backoff::Backoff;
use sea_orm::DbErr;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// From one count of what waits to the next; counting a lot is not free.
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// The pauses between looks for work: short while looks go well, growing while they fail.
#[derive(Debug, Clone, Copy)]
pub struct Pauses {
    poll: Duration,
    backoff: Backoff,
    /// Looks that failed in a row.
    failures: u32,
}

impl Pauses {
    /// `poll` finds what nobody wakes for.
    pub const fn new(poll: Duration, backoff: Backoff) -> Self {
        Self {
            poll,
            backoff,
            failures: 0,
        }
    }

    /// A look went well.
    pub const fn clear(&mut self) {
        self.failures = 0;
    }

    /// A look failed; whether it is the first in a row, and worth a line: one when it begins, not
    /// one per look.
    #[must_use]
    pub const fn fail(&mut self) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.failures == 1
    }

    /// Until it is time to look again, or to stop. `woken` ends a pause early that nobody else
    /// needs; after a look that failed it is not even asked, so that a wake-up is kept for the next
    /// pause.
    pub async fn wait(&self, woken: impl Future<Output = ()>, stop: &CancellationToken) {
        let pause = self.failures.checked_sub(1).map_or(self.poll, |repeat| {
            self.backoff.delay(repeat, &mut fastrand::Rng::new())
        });
        let woken = async {
            if self.failures > 0 {
                pending::<()>().await;
            }
            woken.await;
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = woken => {}
            () = sleep(pause) => {}
        }
    }
}

/// Writes down what has been done, which would be done again if it were not: while the database is
/// away again and again, the first time told by `tell`, until told to stop. `None` if it never was.
pub async fn insist<T, F>(
    backoff: Backoff,
    stop: &CancellationToken,
    write: impl Fn() -> F,
    tell: impl Fn(&DbErr),
) -> Option<T>
where
    F: Future<Output = Result<T, DbErr>>,
{
    let mut failures = 0_u32;
    loop {
        match write().await {
            Ok(written) => return Some(written),
            Err(error) if failures == 0 => tell(&error),
            Err(_) => {}
        }
        if stop.is_cancelled() {
            return None;
        }
        sleep(backoff.delay(failures, &mut fastrand::Rng::new())).await;
        failures = failures.saturating_add(1);
    }
}

/// Works, and counts what waits every 10 s until the work ends: that is of interest most while a
/// look or a pause takes long.
pub async fn counting<F>(work: impl Future<Output = ()>, count: impl Fn() -> F)
where
    F: Future<Output = ()>,
{
    let counts = async {
        loop {
            count().await;
            sleep(COUNT_EVERY).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = counts => {}
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;

    use tokio::sync::Notify;
    use tokio::time::{Instant, timeout};

    use super::*;

    const POLL: Duration = Duration::from_mins(1);
    const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(500), Duration::from_secs(10));

    #[tokio::test(start_paused = true)]
    async fn a_wake_up_and_the_stop_end_a_pause_and_otherwise_the_poll_does() {
        let stop = CancellationToken::new();
        let pauses = Pauses::new(POLL, BACKOFF);
        let begun = Instant::now();
        pauses.wait(ready(()), &stop).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        pauses.wait(pending(), &stop).await;
        assert_eq!(begun.elapsed(), POLL);
        stop.cancel();
        pauses.wait(pending(), &stop).await;
        assert_eq!(begun.elapsed(), POLL);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wake_up_does_not_cut_the_pause_after_a_failure_and_is_kept() {
        let stop = CancellationToken::new();
        let bell = Notify::new();
        bell.notify_one();
        let mut pauses = Pauses::new(POLL, BACKOFF);
        for repeat in 0..40 {
            assert_eq!(pauses.fail(), repeat == 0);
        }
        let begun = Instant::now();
        // Full jitter: of so many pauses under 10 s some last.
        for _ in 0..20 {
            pauses.wait(bell.notified(), &stop).await;
        }
        assert!(begun.elapsed() > Duration::from_secs(20));
        pauses.clear();
        let begun = Instant::now();
        pauses.wait(bell.notified(), &stop).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert!(pauses.fail(), "the first of the next row");
    }

    #[tokio::test(start_paused = true)]
    async fn what_must_be_written_is_tried_until_it_is() {
        let (tries, told) = (Cell::new(0), Cell::new(0));
        let write = || {
            tries.set(tries.get() + 1);
            ready(if tries.get() < 7 {
                Err(DbErr::Custom("away".to_owned()))
            } else {
                Ok(tries.get())
            })
        };
        let tell = |_: &DbErr| told.set(told.get() + 1);
        let stop = CancellationToken::new();
        assert_eq!(insist(BACKOFF, &stop, write, tell).await, Some(7));
        assert_eq!(told.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_told_to_stop_tries_once_more_and_no_longer() {
        let tries = Cell::new(0);
        let write = || {
            tries.set(tries.get() + 1);
            ready(Err::<(), _>(DbErr::Custom("away".to_owned())))
        };
        let stop = CancellationToken::new();
        stop.cancel();
        assert_eq!(insist(BACKOFF, &stop, write, |_| ()).await, None);
        assert_eq!(tries.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_is_counted_at_once_and_as_long_as_the_work_lasts() {
        let counts = Cell::new(0);
        let count = || {
            counts.set(counts.get() + 1);
            ready(())
        };
        counting(sleep(COUNT_EVERY * 5 / 2), count).await;
        assert_eq!(counts.get(), 3);
        let forever = counting(pending(), count);
        assert!(timeout(COUNT_EVERY / 2, forever).await.is_err());
        assert_eq!(counts.get(), 4);
    }
}
