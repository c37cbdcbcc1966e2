//! A timer that is put off at every message, and yet set only when it has run out.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that runs out at the moment it is asked about, which may move.
#[derive(Debug)]
pub(super) struct Alarm(Pin<Box<Sleep>>);

impl Alarm {
    /// One that is first asked about `due`.
    pub(super) fn at(due: Instant) -> Self {
        Self(Box::pin(sleep_until(due)))
    }

    /// Resolves at `due`. May be dropped, and called again for another moment.
    pub(super) async fn reached(&mut self, due: Instant) {
        if due < self.0.deadline() {
            self.0.as_mut().reset(due);
        }
        poll_fn(|context| {
            loop {
                ready!(self.0.as_mut().poll(context));
                if self.0.deadline() >= due {
                    return Poll::Ready(());
                }
                self.0.as_mut().reset(due);
            }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_runs_out_at_the_moment_it_was_last_asked_about() {
        let begun = Instant::now();
        let second = |number| begun + Duration::from_secs(number);
        let mut alarm = Alarm::at(second(5));
        assert_eq!(alarm.reached(second(5)).now_or_never(), None);
        assert_eq!(alarm.reached(second(9)).now_or_never(), None);
        alarm.reached(second(9)).await;
        assert_eq!(Instant::now(), second(9));
        assert_eq!(alarm.reached(second(20)).now_or_never(), None);
        alarm.reached(second(12)).await;
        assert_eq!(Instant::now(), second(12));
        assert_eq!(alarm.reached(second(12)).now_or_never(), Some(()));
    }
}
