//! What the pool goes through: how long statements wait for a connection, and when one was lost.
//!
//! The pool does its waiting inside sqlx, out of reach; but it calls its hooks in the task that
//! waits. So a statement announces its wait in a task-local, and the hook that hands it a
//! connection ends it. Names are those of the semantic conventions for pools.
//!
//! A server that restarts cuts every connection, and the pool knows of none: each would fail one
//! statement. So the first loss is remembered, and what has been idle since before is checked
//! before it is used again.
//!
//! A statement whose caller has gone is dropped here and goes on at the server; so it is remembered
//! that somebody left, and what then comes back to the pool still at work is closed.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use lyceum_telemetry::metrics::{Counter, Histogram, KeyValue, UpDownCounter, meter};
use sea_orm::{ConnAcquireErr, DbErr, sqlx};

use super::error;

/// Bucket bounds in seconds, from a connection at hand to the pool's patience; the conventions
/// advise none.
const WAIT_SECONDS: [f64; 9] = [0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

tokio::task_local! {
    static WAIT: Wait;
}

/// Watches one pool; clones share what they have seen.
#[derive(Clone)]
pub(super) struct Watch(Arc<Seen>);

struct Seen {
    labels: [KeyValue; 1],
    waiting: UpDownCounter<i64>,
    wait_time: Histogram<f64>,
    timeouts: Counter<u64>,
    since: Instant,
    /// Microseconds after `since` at which a connection was last found lost.
    lost: AtomicU64,
    /// Microseconds after `since` at which somebody last left a statement under way.
    left: AtomicU64,
}

/// How many connections a pool has open, and how many of them nobody uses.
pub(super) type Sizes = dyn Fn() -> (u32, usize) + Send + Sync;

impl Watch {
    /// Telemetry is set up before; otherwise nothing is counted.
    pub(super) fn new(service: &str) -> Self {
        let meter = meter();
        Self(Arc::new(Seen {
            labels: [pool_name(service)],
            waiting: meter
                .i64_up_down_counter("db.client.connection.pending_requests")
                .with_unit("{request}")
                .with_description("Statements and transactions that wait for a connection.")
                .build(),
            wait_time: meter
                .f64_histogram("db.client.connection.wait_time")
                .with_unit("s")
                .with_description("Time it took to obtain a connection from the pool.")
                .with_boundaries(WAIT_SECONDS.to_vec())
                .build(),
            timeouts: meter
                .u64_counter("db.client.connection.timeouts")
                .with_unit("{timeout}")
                .with_description("Waits that ended without a connection.")
                .build(),
            since: Instant::now(),
            lost: AtomicU64::new(0),
            left: AtomicU64::new(0),
        }))
    }

    /// Shows the sizes of the pool for as long as `sizes` lives.
    pub(super) fn show(service: &str, max: u32, sizes: &Arc<Sizes>) {
        let meter = meter();
        let labels = [pool_name(service)];
        let state = |state| {
            [
                pool_name(service),
                KeyValue::new("db.client.connection.state", state),
            ]
        };
        let (used, idle) = (state("used"), state("idle"));
        let pool: Weak<Sizes> = Arc::downgrade(sizes);
        let open = Weak::clone(&pool);
        // The instruments live on in the meter; the handles are of no further use.
        meter
            .i64_observable_up_down_counter("db.client.connection.count")
            .with_unit("{connection}")
            .with_description("Open connections, by whether a statement uses them.")
            .with_callback(move |count| {
                if let Some(sizes) = pool.upgrade() {
                    let (size, unused) = sizes();
                    let (size, unused) = (i64::from(size), i64::try_from(unused).unwrap_or(0));
                    count.observe(size.saturating_sub(unused).max(0), &used);
                    count.observe(unused, &idle);
                }
            })
            .build();
        meter
            .i64_observable_up_down_counter("db.client.connection.max")
            .with_unit("{connection}")
            .with_description("The most connections there may be.")
            .with_callback(move |count| {
                if open.strong_count() > 0 {
                    count.observe(i64::from(max), &labels);
                }
            })
            .build();
    }

    /// Awaits `work`, which takes a connection out of the pool, and learns from its failure.
    pub(super) async fn over<T>(
        &self,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        self.within(WAIT.scope(Wait::begin(self), work)).await
    }

    /// Awaits `work` on a connection it has, learns from its failure, and notices when its caller
    /// leaves before it is done.
    pub(super) async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        let mut underway = Underway {
            watch: self,
            done: false,
        };
        let outcome = work.await;
        underway.done = true;
        self.learning(outcome)
    }

    /// Learns from the failure of a statement that has its connection, if it did fail.
    pub(super) fn learning<T>(&self, outcome: Result<T, DbErr>) -> Result<T, DbErr> {
        outcome.inspect_err(|error| self.learn(error))
    }

    /// Remembers a loss, counts a wait in vain.
    pub(super) fn learn(&self, error: &DbErr) {
        if error::connection_is_lost(error) {
            self.remember_loss();
        }
        if matches!(error, DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)) {
            self.0.timeouts.add(1, &self.0.labels);
        }
    }

    /// Remembers a loss that the driver found before there was a statement.
    pub(super) fn learn_of_connection(&self, error: &sqlx::Error) {
        if error::driver_lost_connection(error) {
            self.remember_loss();
        }
    }

    fn remember_loss(&self) {
        let now = self.micros(Instant::now());
        self.0.lost.store(now, Ordering::Relaxed);
    }

    /// Whether a connection unused for that long may have been cut together with one that was.
    pub(super) fn suspects(&self, idle_for: Duration) -> bool {
        let lost = self.0.lost.load(Ordering::Relaxed);
        if lost == 0 {
            return false;
        }
        let idle_since = Instant::now().checked_sub(idle_for);
        idle_since.is_none_or(|idle_since| self.micros(idle_since) <= lost)
    }

    /// Whether somebody has left a statement under way so lately that its connection may just be
    /// coming back to the pool.
    pub(super) fn somebody_left(&self) -> bool {
        let left = self.0.left.load(Ordering::Relaxed);
        let lately = u64::try_from(LATELY.as_micros()).unwrap_or(u64::MAX);
        left != 0 && self.micros(Instant::now()).saturating_sub(left) <= lately
    }

    fn micros(&self, instant: Instant) -> u64 {
        let after = instant.saturating_duration_since(self.0.since);
        u64::try_from(after.as_micros()).unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

fn pool_name(service: &str) -> KeyValue {
    KeyValue::new("db.client.connection.pool.name", service.to_owned())
}

/// How soon a connection comes back after its statement was dropped; by far.
const LATELY: Duration = Duration::from_secs(1);

/// A statement that is being waited for.
struct Underway<'a> {
    watch: &'a Watch,
    done: bool,
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        if !self.done {
            let now = self.watch.micros(Instant::now()).max(1);
            self.watch.0.left.store(now, Ordering::Relaxed);
        }
    }
}

/// One statement's wait for a connection.
struct Wait {
    seen: Arc<Seen>,
    begun: Instant,
    over: Cell<bool>,
}

impl Wait {
    fn begin(watch: &Watch) -> Self {
        watch.0.waiting.add(1, &watch.0.labels);
        Self {
            seen: Arc::clone(&watch.0),
            begun: Instant::now(),
            over: Cell::new(false),
        }
    }

    /// Once; the connection may be checked and replaced before it is handed out.
    fn end(&self) -> bool {
        let ends = !self.over.replace(true);
        if ends {
            self.seen.waiting.add(-1, &self.seen.labels);
        }
        ends
    }
}

/// Given up, or cancelled with its request.
impl Drop for Wait {
    fn drop(&mut self) {
        self.end();
    }
}

/// For the pool's hooks: a connection is handed to whoever waits in this task. The pool also
/// opens connections for nobody.
pub(super) fn handed_out() {
    let end = |wait: &Wait| {
        if wait.end() {
            let seconds = wait.begun.elapsed().as_secs_f64();
            wait.seen.wait_time.record(seconds, &wait.seen.labels);
        }
    };
    WAIT.try_with(end).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_loss_only_what_was_idle_before_is_suspected() {
        let watch = Watch::new("test");
        assert!(!watch.suspects(Duration::MAX), "nothing was lost");
        std::thread::yield_now();
        while watch.micros(Instant::now()) == 0 {}
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let lost = sea_orm::RuntimeErr::SqlxError(Arc::new(sqlx::Error::Io(reset)));
        watch.learn(&DbErr::Query(lost));
        assert!(watch.suspects(Duration::from_secs(1)));
        while watch.micros(Instant::now()) <= watch.0.lost.load(Ordering::Relaxed) {}
        assert!(!watch.suspects(Duration::ZERO), "it was in use since");
    }

    #[tokio::test]
    async fn a_statement_that_is_dropped_is_noticed_and_one_that_ends_is_not() {
        let watch = Watch::new("test");
        watch.within(async { Ok(()) }).await.unwrap();
        let failed: Result<(), _> = watch.over(async { Err(DbErr::RecordNotInserted) }).await;
        failed.unwrap_err();
        assert!(!watch.somebody_left());
        let endless = watch.over(std::future::pending::<Result<(), DbErr>>());
        tokio::time::timeout(Duration::ZERO, endless)
            .await
            .unwrap_err();
        assert!(watch.somebody_left());
    }

    #[test]
    fn a_check_that_finds_a_connection_cut_makes_the_others_suspect() {
        let watch = Watch::new("test");
        while watch.micros(Instant::now()) == 0 {}
        watch.learn_of_connection(&sqlx::Error::PoolTimedOut);
        assert!(!watch.suspects(Duration::MAX), "nothing was lost");
        let cut = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        watch.learn_of_connection(&sqlx::Error::Io(cut));
        assert!(watch.suspects(Duration::from_secs(1)));
    }
}
