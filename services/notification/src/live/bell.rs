//! Futures that are polled only when they asked for it, however often the task is.
//!
//! A stream is woken for what it tells far more often than for what ends it. Asked again each time,
//! what ends it would take the locks that all streams share, again and again.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::FutureExt;
use futures_util::future::{Fuse, LocalBoxFuture};
use futures_util::task::AtomicWaker;

/// A future with a bell of its own.
pub(super) struct Belled<T> {
    future: Fuse<LocalBoxFuture<'static, T>>,
    bell: Arc<Bell>,
}

#[derive(Debug)]
struct Bell {
    rung: AtomicBool,
    task: AtomicWaker,
}

impl<T> fmt::Debug for Belled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Belled").finish_non_exhaustive()
    }
}

impl<T> Belled<T> {
    pub(super) fn new(future: impl Future<Output = T> + 'static) -> Self {
        Self {
            future: future.boxed_local().fuse(),
            bell: Arc::new(Bell {
                // Nobody has asked it yet.
                rung: AtomicBool::new(true),
                task: AtomicWaker::new(),
            }),
        }
    }
}

/// Resolves once; from then on it waits for ever.
impl<T> Future for Belled<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Before the look: whoever rings after it wakes this task.
        self.bell.task.register(context.waker());
        if !self.bell.rung.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let waker = Waker::from(Arc::clone(&self.bell));
        self.future.poll_unpin(&mut Context::from_waker(&waker))
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.task.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::rc::Rc;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_future_is_asked_once_and_again_when_it_has_rung() {
        let (tell, told) = oneshot::channel();
        let asked = Rc::new(Cell::new(0));
        let mut told = Box::pin(told);
        let counted = Rc::clone(&asked);
        let mut belled = Belled::new(poll_fn(move |context| {
            counted.set(counted.get() + 1);
            told.poll_unpin(context)
        }));
        for _ in 0..3 {
            assert_eq!((&mut belled).now_or_never(), None);
        }
        assert_eq!(asked.get(), 1);
        tell.send(7).unwrap();
        assert_eq!((&mut belled).await, Ok(7));
        assert_eq!(asked.get(), 2);
        assert_eq!((&mut belled).now_or_never(), None);
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_though_somebody_else_has_asked_before() {
        let (tell, told) = oneshot::channel();
        let mut belled = Belled::new(told);
        assert_eq!((&mut belled).now_or_never(), None);
        let telling = async { tell.send(7) };
        let (heard, said) = tokio::join!(belled, telling);
        assert_eq!((heard, said), (Ok(7), Ok(())));
    }
}
