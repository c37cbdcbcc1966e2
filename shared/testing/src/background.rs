//! A thread with a runtime of its own, stopped and joined when dropped.
//!
//! Peers and services of a test live here, so that a test that blocks its own runtime cannot stall
//! them, and a panic inside them fails the test instead of vanishing with a task.

use std::panic::resume_unwind;
use std::thread::{self, JoinHandle};

use tokio_util::sync::CancellationToken;

/// A running thread; dropping it asks it to stop, waits for its end and passes its panic on.
#[derive(Debug)]
pub(crate) struct Background {
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Runs `main` to its end on a new thread. `main` returns soon after its token is cancelled.
    pub(crate) fn start(
        name: impl Into<String>,
        main: impl FnOnce(CancellationToken) + Send + 'static,
    ) -> Self {
        let stop = CancellationToken::new();
        let token = stop.clone();
        let thread = thread::Builder::new()
            .name(name.into())
            .spawn(move || main(token))
            .expect("the system grants another thread");
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop.cancel();
        let ended = self.thread.take().map(JoinHandle::join);
        // While the test itself unwinds, a second panic would abort and hide the first.
        if let Some(Err(panic)) = ended
            && !thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}

/// Runs `future` to its end, wherever the caller stands: inside a runtime, or in a `Drop`.
pub(crate) fn block_on_own_runtime<F>(future: F) -> F::Output
where
    F: Future + Send,
    F::Output: Send,
{
    thread::scope(|scope| {
        let ended = scope.spawn(|| single_threaded().block_on(future)).join();
        ended.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// A runtime for one thread, with sockets and timers.
pub(crate) fn single_threaded() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the system grants another runtime")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn dropping_waits_for_the_end() {
        let (ended, end) = std::sync::mpsc::channel();
        let background = Background::start("patient", move |stop| {
            single_threaded().block_on(stop.cancelled());
            ended.send(()).unwrap();
        });
        assert!(end.try_recv().is_err(), "it runs until told otherwise");
        drop(background);
        assert!(end.try_recv().is_ok(), "it had ended before drop returned");
    }

    #[test]
    fn a_panic_in_the_background_reaches_the_test() {
        let background = Background::start("careless", |_| panic!("careless indeed"));
        let panic = catch_unwind(AssertUnwindSafe(|| drop(background))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"careless indeed"));
    }
}
