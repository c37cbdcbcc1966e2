//! An append-only list that one side writes and the test waits on.

use std::fmt::Debug;
use std::time::Duration;

use tokio::sync::watch;

/// What has happened so far; clones share it, and it works across threads and runtimes.
#[derive(Debug, Clone)]
pub(crate) struct Journal<T>(watch::Sender<Vec<T>>);

impl<T> Default for Journal<T> {
    fn default() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }
}

impl<T: Clone + Debug> Journal<T> {
    pub(crate) fn push(&self, entry: T) {
        self.0.send_modify(|entries| entries.push(entry));
    }

    pub(crate) fn entries(&self) -> Vec<T> {
        self.0.borrow().clone()
    }

    /// Waits until `enough` holds of all entries so far and returns what it answers.
    ///
    /// # Panics
    /// When `deadline` passes first: with `what` was awaited and what there was instead.
    pub(crate) async fn wait_for<R>(
        &self,
        what: &str,
        deadline: Duration,
        mut enough: impl FnMut(&[T]) -> Option<R>,
    ) -> R {
        let mut result = None;
        let mut receiver = self.0.subscribe();
        let came = tokio::time::timeout(
            deadline,
            receiver.wait_for(|entries| {
                result = enough(entries);
                result.is_some()
            }),
        )
        .await
        .is_ok();
        assert!(
            came,
            "waited {deadline:?} for {what}; so far: {:#?}",
            self.entries()
        );
        result.expect("the condition held")
    }
}
