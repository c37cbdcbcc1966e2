//! An append-only list that one side writes and the test waits on.

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

impl<T: Clone> Journal<T> {
    pub(crate) fn push(&self, entry: T) {
        self.extend([entry]);
    }

    /// Appends all entries at once: nobody who waits sees only some of them.
    pub(crate) fn extend(&self, more: impl IntoIterator<Item = T>) {
        self.0.send_modify(|entries| entries.extend(more));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    pub(crate) fn entries(&self) -> Vec<T> {
        self.0.borrow().clone()
    }

    /// What `enough` makes of the entries, as soon as it makes something of them; `None` when
    /// `deadline` passes first.
    pub(crate) async fn wait_for<R>(
        &self,
        deadline: Duration,
        mut enough: impl FnMut(&[T]) -> Option<R>,
    ) -> Option<R> {
        let mut result = None;
        let mut receiver = self.0.subscribe();
        let condition = receiver.wait_for(|entries| {
            result = enough(entries);
            result.is_some()
        });
        let came = tokio::time::timeout(deadline, condition).await.is_ok();
        result.filter(|_| came)
    }

    /// The entries, once there are `count`.
    ///
    /// # Panics
    /// When `deadline` passes first: with `what` was awaited.
    pub(crate) async fn at_least(&self, what: &str, count: usize, deadline: Duration) -> Vec<T> {
        let complete = |entries: &[T]| (entries.len() >= count).then(|| entries.to_vec());
        let entries = self.wait_for(deadline, complete).await;
        entries.unwrap_or_else(|| {
            let so_far = self.len();
            panic!("{so_far} of {count} {what} within {deadline:?}")
        })
    }
}
