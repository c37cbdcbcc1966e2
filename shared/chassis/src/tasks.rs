//! Background tasks: each has a name, an owner and an end.
//!
//! A [`TaskSet`] is the owner. Its tasks run on the runtime it was made on (the main one, never an
//! actix worker's), are started again after a panic or an early return, are listed at
//! `/debug/tasks`, and end when the set is stopped.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// First wait before a task is started again; doubles up to [`MAX_RESTART_DELAY`], and is the
/// first again after a run longer than that.
const MIN_RESTART_DELAY: Duration = Duration::from_millis(500);
const MAX_RESTART_DELAY: Duration = Duration::from_secs(30);

/// The background tasks of one process; clones share them.
#[derive(Debug, Clone)]
pub struct TaskSet {
    runtime: Handle,
    tracker: TaskTracker,
    stop: CancellationToken,
    entries: Arc<Mutex<Vec<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    started: Instant,
    state: TaskState,
    restarts: u64,
}

/// Where a task is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// At work.
    Running,
    /// Ended unasked; waits to be started again.
    Restarting,
    /// Ended because it was asked to.
    Stopped,
}

/// One line of `/debug/tasks`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskReport {
    /// The name given at the start.
    pub name: &'static str,
    /// Where it is in its life.
    pub state: TaskState,
    /// Seconds since the first start.
    pub age_seconds: u64,
    /// How often it was started again.
    pub restarts: u64,
}

impl TaskSet {
    /// An empty set on the current runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new() -> Self {
        Self {
            runtime: Handle::current(),
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
            entries: Arc::default(),
        }
    }

    /// Starts a task that works until its token is cancelled.
    ///
    /// `work` is called again, after a growing delay, whenever it returns unasked or panics.
    pub fn spawn<F, W>(&self, name: &'static str, mut work: W)
    where
        W: FnMut(CancellationToken) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let index = self.register(name);
        let set = self.clone();
        let supervised = async move {
            let mut delay = MIN_RESTART_DELAY;
            loop {
                // The closure runs inside the caught future: a panic in either half is the task's.
                let begun = Instant::now();
                let run = async { work(set.stop.child_token()).await };
                let outcome = AssertUnwindSafe(run).catch_unwind().await;
                if set.stop.is_cancelled() {
                    break;
                }
                if begun.elapsed() > MAX_RESTART_DELAY {
                    delay = MIN_RESTART_DELAY;
                }
                let how = if outcome.is_ok() {
                    "returned"
                } else {
                    "panicked"
                };
                tracing::error!(
                    event = "task.ended",
                    task = name,
                    how,
                    "restarting in {delay:?}"
                );
                set.update(index, |entry| entry.state = TaskState::Restarting);
                tokio::select! {
                    () = set.stop.cancelled() => break,
                    () = tokio::time::sleep(delay) => {}
                }
                delay = (delay * 2).min(MAX_RESTART_DELAY);
                set.update(index, |entry| {
                    entry.state = TaskState::Running;
                    entry.restarts += 1;
                });
            }
            set.update(index, |entry| entry.state = TaskState::Stopped);
        };
        let span = tracing::Span::none();
        self.tracker
            .spawn_on(supervised.instrument(span), &self.runtime);
    }

    /// Asks all tasks to end and waits for them until `deadline`.
    ///
    /// # Errors
    /// The names of the tasks that were still at work.
    pub async fn stop(&self, deadline: Instant) -> Result<(), Vec<&'static str>> {
        self.stop.cancel();
        self.tracker.close();
        if tokio::time::timeout_at(deadline, self.tracker.wait())
            .await
            .is_ok()
        {
            return Ok(());
        }
        Err(self
            .report()
            .into_iter()
            .filter(|task| task.state != TaskState::Stopped)
            .map(|task| task.name)
            .collect())
    }

    /// What `/debug/tasks` shows, in order of start.
    pub fn report(&self) -> Vec<TaskReport> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries
            .iter()
            .map(|entry| TaskReport {
                name: entry.name,
                state: entry.state,
                age_seconds: entry.started.elapsed().as_secs(),
                restarts: entry.restarts,
            })
            .collect()
    }

    fn register(&self, name: &'static str) -> usize {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(Entry {
            name,
            started: Instant::now(),
            state: TaskState::Running,
            restarts: 0,
        });
        entries.len() - 1
    }

    fn update(&self, index: usize, change: impl FnOnce(&mut Entry)) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get_mut(index) {
            change(entry);
        }
    }
}

impl Default for TaskSet {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_started_again_and_counted() {
        let tasks = TaskSet::new();
        let runs = Arc::new(AtomicU32::new(0));
        let (seen, mut second_run) = tokio::sync::mpsc::channel(1);
        let counter = Arc::clone(&runs);
        tasks.spawn("fragile", move |stop| {
            let run = counter.fetch_add(1, Ordering::SeqCst);
            let seen = seen.clone();
            async move {
                assert!(run > 0, "the first run ends badly");
                seen.send(()).await.unwrap();
                stop.cancelled().await;
            }
        });
        second_run.recv().await.unwrap();
        let report = tasks.report();
        assert_eq!((report[0].name, report[0].restarts), ("fragile", 1));
        assert_eq!(report[0].state, TaskState::Running);
        tasks.stop(soon()).await.unwrap();
        assert_eq!(tasks.report()[0].state, TaskState::Stopped);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_worked_for_long_is_started_again_soon() {
        let tasks = TaskSet::new();
        let (tell, mut begun) = tokio::sync::mpsc::unbounded_channel();
        let mut runs = 0;
        tasks.spawn("weary", move |_stop| {
            runs += 1;
            let (tell, long) = (tell.clone(), runs == 8);
            async move {
                tell.send(Instant::now()).unwrap();
                if long {
                    tokio::time::sleep(2 * MAX_RESTART_DELAY).await;
                }
            }
        });
        let mut times = Vec::new();
        while times.len() < 9 {
            times.push(begun.recv().await.unwrap());
        }
        assert!(
            times[7] - times[6] >= MAX_RESTART_DELAY,
            "by then it waits long"
        );
        assert!(times[8] - times[7] < 2 * MAX_RESTART_DELAY + 2 * MIN_RESTART_DELAY);
        tasks.stop(soon()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_end_in_time_is_named() {
        let tasks = TaskSet::new();
        tasks.spawn("deaf", |_stop| std::future::pending());
        assert_eq!(tasks.stop(soon()).await, Err(vec!["deaf"]));
    }
}
