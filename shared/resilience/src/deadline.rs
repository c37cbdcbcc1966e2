//! How long an answer is still of use.
//!
//! One deadline covers everything done for one request, through every hop: it is set where the
//! request comes in, travels with the task as a task-local, and the client passes what remains on
//! to the next service. A deadline is an instant, not a length, so it cannot grow on the way.

use std::future::Future;
use std::time::Duration;

/// Tokio's monotonic clock, which tests can pause.
pub use tokio::time::Instant;

tokio::task_local! {
    static CURRENT: Deadline;
}

/// The instant after which nobody waits for the answer any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline at `instant`.
    pub const fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// The deadline `length` from now.
    pub fn after(length: Duration) -> Self {
        Self::starting(Instant::now(), length)
    }

    /// The deadline `length` after `now`; lengths beyond the clock's range end a century from now.
    pub fn starting(now: Instant, length: Duration) -> Self {
        const CENTURY: Duration = Duration::from_hours(100 * 365 * 24);
        Self(now + length.min(CENTURY))
    }

    /// The instant itself, for `tokio::time::timeout_at`.
    pub const fn instant(self) -> Instant {
        self.0
    }

    /// What remains at `now`, or `None` when it has passed.
    pub fn remaining(self, now: Instant) -> Option<Duration> {
        self.0
            .checked_duration_since(now)
            .filter(|left| !left.is_zero())
    }

    /// Whichever comes first.
    #[must_use]
    pub fn earlier(self, other: Self) -> Self {
        self.min(other)
    }

    /// The deadline moved forward by `margin`, to leave the caller time to use the answer.
    #[must_use]
    pub fn sooner_by(self, margin: Duration) -> Self {
        self.0.checked_sub(margin).map_or(self, Self)
    }

    /// The deadline of the request this task works for, if it has one.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|deadline| *deadline).ok()
    }

    /// Runs `work` with `deadline`, or an earlier one already in force, as the current one.
    ///
    /// It only tells; stopping the work when the time has come is up to whoever calls. Tasks
    /// spawned by `work` do not inherit it: they outlive the request on purpose.
    // Not an `async fn`, which would hold `work` twice, as its argument and inside the scope.
    pub fn scope<F: Future>(deadline: Self, work: F) -> impl Future<Output = F::Output> {
        let deadline = Self::current().map_or(deadline, |outer| outer.earlier(deadline));
        CURRENT.scope(deadline, work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn what_remains_shrinks_as_time_passes_and_then_there_is_nothing() {
        let deadline = Deadline::after(SECOND);
        assert_eq!(deadline.remaining(Instant::now()), Some(SECOND));
        tokio::time::advance(Duration::from_millis(400)).await;
        assert_eq!(
            deadline.remaining(Instant::now()),
            Some(Duration::from_millis(600))
        );
        tokio::time::advance(Duration::from_millis(600)).await;
        assert_eq!(deadline.remaining(Instant::now()), None);
    }

    #[tokio::test]
    async fn a_scope_can_tighten_the_deadline_and_never_loosen_it() {
        let now = Instant::now();
        let (soon, late) = (
            Deadline::starting(now, SECOND),
            Deadline::starting(now, 9 * SECOND),
        );
        assert_eq!(Deadline::current(), None);
        let seen = Deadline::scope(soon, async {
            Deadline::scope(late, async { Deadline::current() }).await
        });
        assert_eq!(seen.await, Some(soon));
        let seen = Deadline::scope(late, async {
            Deadline::scope(soon, async { Deadline::current() }).await
        });
        assert_eq!(seen.await, Some(soon));
    }

    #[test]
    fn a_scope_holds_its_work_once() {
        let work = async {
            let kept = [0u8; 1024];
            std::future::pending::<()>().await;
            kept.len()
        };
        let alone = size_of_val(&work);
        let scoped = Deadline::scope(Deadline::after(SECOND), work);
        let around = size_of_val(&scoped) - alone;
        assert!(around < 128, "{around} bytes around {alone}");
    }

    #[test]
    fn lengths_and_margins_out_of_range_do_not_panic() {
        let now = Instant::now();
        let far = Deadline::starting(now, Duration::MAX);
        assert!(far.remaining(now).is_some());
        assert_eq!(far.sooner_by(Duration::MAX), far);
    }
}
