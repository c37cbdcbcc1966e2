//! How long work outlived its caller, over several calls.

use std::time::{Duration, Instant, SystemTime};

use lyceum_testing::{TestApp, eventually};

/// Calls per case.
pub(crate) const CALLS: usize = 7;

/// What a caller that gives up may leave behind (the promise of `docs/OPERATIONS.md`).
const BOUND: Duration = Duration::from_millis(50);
/// What one call of them may take on a machine that builds and tests on all cores meanwhile.
const WORST: Duration = Duration::from_secs(2);

/// The moment a caller stops waiting, by both clocks.
#[derive(Clone, Copy)]
pub(crate) struct GaveUp {
    at: Instant,
    wall: SystemTime,
}

impl GaveUp {
    pub(crate) fn now() -> Self {
        Self {
            at: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    pub(crate) fn after(self, wait: Duration) -> Self {
        Self {
            at: self.at + wait,
            wall: self.wall + wait,
        }
    }

    /// The time since; none when it is still to come.
    pub(crate) fn elapsed(self) -> Duration {
        self.at.elapsed()
    }

    /// What `work` gives, unless this moment comes first.
    pub(crate) async fn outrun_by<T>(self, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout_at(self.at.into(), work).await.ok()
    }

    /// How much later the last of `count` SERVER spans of `trace` ended; `None` when they all had
    /// ended before.
    pub(crate) async fn until_spans_of(
        self,
        app: &TestApp,
        trace: &str,
        count: usize,
    ) -> Option<Duration> {
        let ends = eventually("all ended", async || {
            let spans = app.captured().spans_of(trace).into_iter();
            let of_servers = spans.filter(|span| span.parent_span_is_remote);
            let ends: Vec<_> = of_servers.map(|span| span.end_time).collect();
            (ends.len() == count).then_some(ends)
        });
        let last = ends.await.into_iter().max()?;
        last.duration_since(self.wall).ok()
    }
}

/// Lags of one kind.
pub(crate) struct Lags {
    what: String,
    lags: Vec<Duration>,
}

impl Lags {
    pub(crate) fn of(what: impl Into<String>) -> Self {
        let (what, lags) = (what.into(), Vec::new());
        Self { what, lags }
    }

    pub(crate) fn add(&mut self, lag: Duration) {
        self.lags.push(lag);
    }

    /// The median keeps the promise; a single one may have waited for a core.
    pub(crate) fn assert_short(mut self) {
        self.lags.sort_unstable();
        let (median, worst) = (
            self.lags[self.lags.len() / 2],
            self.lags[self.lags.len() - 1],
        );
        let what = &self.what;
        println!("{what}: median {median:.1?}, worst {worst:.1?}");
        assert!(self.lags.len() == CALLS, "every call was measured");
        assert!(median <= BOUND, "{what}: {:?}", self.lags);
        assert!(worst <= WORST, "{what}: {:?}", self.lags);
    }
}
