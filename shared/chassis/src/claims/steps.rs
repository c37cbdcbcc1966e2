//! Long work, done step by step.

use std::future::Future;

use futures_util::future::join_all;
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use super::Pauses;

/// Work that is done step by step under a claim, here or by whoever claims it next.
pub trait Steps: Sync {
    /// The right to do the next step, until the lease ends.
    type Claim: Send;

    /// Takes what has been due for longest, if something is due.
    fn claim(&self) -> impl Future<Output = Result<Option<Self::Claim>, DbErr>> + Send;

    /// Does one step; whether there may be more to do under this claim.
    fn step(&self, claim: &mut Self::Claim) -> impl Future<Output = Result<bool, DbErr>> + Send;

    /// Leaves it to anybody, at once.
    fn give_back(&self, claim: Self::Claim) -> impl Future<Output = Result<(), DbErr>> + Send;

    /// Resolves when something was made due.
    fn woken(&self) -> impl Future<Output = ()> + Send;

    /// Says that the database has begun to fail.
    fn hindered(&self, error: &DbErr);
}

/// Does what has been due for longest, as far as it gets until told to stop; how many steps led
/// further. `None` when nothing is due.
///
/// # Errors
/// When the database fails; what was claimed by then is due again when its lease ends.
pub async fn do_next<S: Steps>(
    steps: &S,
    stop: &CancellationToken,
) -> Result<Option<usize>, DbErr> {
    let Some(mut claim) = steps.claim().await? else {
        return Ok(None);
    };
    let mut done = 0;
    while !stop.is_cancelled() {
        if !steps.step(&mut claim).await? {
            return Ok(Some(done));
        }
        done += 1;
    }
    steps.give_back(claim).await?;
    Ok(Some(done))
}

/// Does what is due, so many claims at once, until told to stop, which ends each between two steps.
pub async fn work<S: Steps>(steps: &S, at_once: usize, pauses: Pauses, stop: &CancellationToken) {
    join_all((0..at_once).map(|_| lane(steps, pauses, stop))).await;
}

async fn lane<S: Steps>(steps: &S, mut pauses: Pauses, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        match do_next(steps, stop).await {
            Ok(Some(_)) => {
                pauses.clear();
                continue;
            }
            Ok(None) => pauses.clear(),
            Err(error) => {
                if pauses.fail() {
                    steps.hindered(&error);
                }
            }
        }
        pauses.wait(steps.woken(), stop).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use lyceum_resilience::backoff::Backoff;
    use tokio::sync::Notify;

    use super::*;

    const PAUSES: Pauses = Pauses::new(
        Duration::from_hours(1),
        Backoff::doubling(Duration::from_secs(1), Duration::from_mins(1)),
    );

    /// Piles to carry off, stone by stone.
    #[derive(Default)]
    struct Quarry {
        piles: Mutex<Vec<usize>>,
        /// Looks that fail before one goes well.
        fails: Mutex<usize>,
        bell: Notify,
        /// Told to stop when so many stones have been carried, if at all.
        stop: CancellationToken,
        stop_after: Option<usize>,
        carried: Mutex<usize>,
        told: Mutex<Vec<String>>,
    }

    impl Quarry {
        fn of(piles: &[usize]) -> Self {
            Self {
                piles: Mutex::new(piles.to_vec()),
                ..Self::default()
            }
        }

        fn carried(&self) -> usize {
            *self.carried.lock().unwrap()
        }
    }

    impl Steps for Quarry {
        type Claim = usize;

        async fn claim(&self) -> Result<Option<usize>, DbErr> {
            let mut fails = self.fails.lock().unwrap();
            if *fails > 0 {
                *fails -= 1;
                return Err(DbErr::Custom("away".to_owned()));
            }
            Ok(self.piles.lock().unwrap().pop())
        }

        async fn step(&self, pile: &mut usize) -> Result<bool, DbErr> {
            if *pile == 0 {
                return Ok(false);
            }
            *pile -= 1;
            let mut carried = self.carried.lock().unwrap();
            *carried += 1;
            if self.stop_after == Some(*carried) {
                self.stop.cancel();
            }
            Ok(true)
        }

        async fn give_back(&self, pile: usize) -> Result<(), DbErr> {
            self.piles.lock().unwrap().push(pile);
            Ok(())
        }

        async fn woken(&self) {
            self.bell.notified().await;
        }

        fn hindered(&self, error: &DbErr) {
            self.told.lock().unwrap().push(error.to_string());
        }
    }

    #[tokio::test]
    async fn what_is_due_is_done_as_far_as_it_gets() {
        let quarry = Quarry::of(&[3, 2]);
        let stop = &quarry.stop;
        for done in [Some(2), Some(3), None] {
            assert_eq!(do_next(&quarry, stop).await.unwrap(), done);
        }
        assert_eq!(quarry.carried(), 5);
    }

    #[tokio::test]
    async fn what_is_under_way_when_told_to_stop_is_given_back_between_two_steps() {
        let quarry = Quarry {
            stop_after: Some(3),
            ..Quarry::of(&[7, 5])
        };
        work(&quarry, 1, PAUSES, &quarry.stop).await;
        assert_eq!(*quarry.piles.lock().unwrap(), [7, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn work_goes_on_when_it_is_woken_and_when_the_database_is_back() {
        let quarry = Quarry {
            stop_after: Some(6),
            fails: Mutex::new(5),
            ..Quarry::of(&[4])
        };
        let begun = tokio::time::Instant::now();
        let wake = async {
            while quarry.carried() < 4 {
                tokio::task::yield_now().await;
                tokio::time::advance(Duration::from_millis(100)).await;
            }
            quarry.piles.lock().unwrap().push(2);
            quarry.bell.notify_one();
        };
        tokio::join!(work(&quarry, 1, PAUSES, &quarry.stop), wake);
        assert_eq!(quarry.carried(), 6);
        assert!(begun.elapsed() < Duration::from_hours(1), "nobody polled");
        assert_eq!(quarry.told.lock().unwrap().len(), 1, "told once");
    }
}
