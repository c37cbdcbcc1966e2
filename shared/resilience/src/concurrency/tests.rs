use std::cell::Cell;
use std::future::{pending, ready};
use std::time::Duration;

use futures_util::FutureExt;
use proptest::prelude::*;
use tokio::time::{Instant, sleep};

use super::*;

/// Counts work: begun, under way, and the most at once.
#[derive(Default)]
struct Work {
    begun: Cell<usize>,
    now: Cell<usize>,
    most: Cell<usize>,
}

struct UnderWay<'a>(&'a Work);

impl Work {
    fn begin(&self) -> UnderWay<'_> {
        self.begun.set(self.begun.get() + 1);
        self.now.set(self.now.get() + 1);
        self.most.set(self.most.get().max(self.now.get()));
        UnderWay(self)
    }

    async fn takes(&self, millis: u64) {
        let _under_way = self.begin();
        sleep(Duration::from_millis(millis)).await;
    }

    async fn never_ends<T>(&self) -> T {
        let _under_way = self.begin();
        pending().await
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.now.set(self.0.now.get() - 1);
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_limit_run_at_once_and_no_fewer_while_there_is_work() {
    let (work, start) = (Work::default(), Instant::now());
    for_each_bounded(stream::iter(0..20), 5, |_| work.takes(100)).await;
    assert_eq!((work.begun.get(), work.most.get()), (20, 5));
    assert_eq!(start.elapsed(), Duration::from_millis(400));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_slow_holds_one_place_and_no_other() {
    let (work, start) = (Work::default(), Instant::now());
    let first_is_slow = |i| work.takes(if i == 0 { 1_000 } else { 100 });
    gather_bounded(0..11, 2, |i| first_is_slow(i).map(Ok::<_, ()>)).await;
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn results_stand_in_the_order_of_the_items_whichever_is_done_first() {
    let backwards = |i: u64| async move {
        sleep(Duration::from_millis(100 - i)).await;
        Ok::<_, ()>(i)
    };
    let all = try_join_bounded(0..50, 7, backwards).await.unwrap();
    assert!(all.into_iter().eq(0..50));
    let all = gather_bounded(0..50, 7, backwards).await;
    assert!(all.into_iter().eq((0..50).map(Ok)));
}

#[tokio::test(start_paused = true)]
async fn the_first_error_ends_it_at_once_and_drops_the_rest() {
    let work = Work::default();
    let third_fails = |i| {
        let work = &work;
        async move {
            if i == 2 {
                work.takes(10).await;
                return Err("no");
            }
            work.never_ends().await
        }
    };
    let joined: Result<Vec<()>, _> = try_join_bounded(0..100, 3, third_fails).await;
    assert_eq!(joined, Err("no"));
    assert_eq!((work.begun.get(), work.now.get()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn failures_are_gathered_among_the_rest() {
    let odd_fails = |i: u32| async move {
        sleep(Duration::from_millis(u64::from(i))).await;
        if i.is_multiple_of(2) { Ok(i) } else { Err(i) }
    };
    let outcomes = gather_bounded(0..4, 2, odd_fails).await;
    assert_eq!(outcomes, [Ok(0), Err(1), Ok(2), Err(3)]);
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_up_cancels_what_runs_and_starts_nothing_more() {
    let work = Work::default();
    let patience = Duration::from_millis(250);
    let all = for_each_bounded(stream::iter(0..100), 5, |_| work.takes(100));
    assert!(tokio::time::timeout(patience, all).await.is_err());
    assert_eq!((work.begun.get(), work.now.get()), (15, 0));
}

#[test]
fn no_more_is_taken_from_the_source_than_can_be_started() {
    let (work, taken) = (Work::default(), Cell::new(0));
    let endless = || (0..).inspect(|_| taken.set(taken.get() + 1));

    let mut each = Box::pin(for_each_bounded(stream::iter(endless()), 3, |_| {
        work.never_ends()
    }));
    assert!(each.as_mut().now_or_never().is_none());
    assert_eq!((taken.replace(0), work.begun.get()), (3, 3));

    let mut join = Box::pin(try_join_bounded(endless(), 4, |_| {
        work.never_ends::<Result<(), ()>>()
    }));
    assert!(join.as_mut().now_or_never().is_none());
    assert_eq!(taken.replace(0), 4);

    let mut gather = Box::pin(gather_bounded(endless(), 5, |_| {
        work.never_ends::<Result<(), ()>>()
    }));
    assert!(gather.as_mut().now_or_never().is_none());
    assert_eq!(taken.get(), 5);
}

#[test]
fn a_limit_of_none_counts_as_one() {
    let work = Work::default();
    let mut each = Box::pin(for_each_bounded(stream::iter(0..9), 0, |_| {
        work.never_ends()
    }));
    assert!(each.as_mut().now_or_never().is_none());
    assert_eq!(work.begun.get(), 1);
    let done = gather_bounded(0..9, 0, |i| ready(Ok::<_, ()>(i)));
    assert_eq!(done.now_or_never().unwrap().len(), 9);
}

#[test]
fn nothing_to_do_is_done() {
    let none = try_join_bounded([0; 0], 5, |i| ready(Ok::<_, ()>(i)));
    assert_eq!(none.now_or_never(), Some(Ok(vec![])));
}

#[tokio::test]
async fn work_that_never_waits_gives_way_to_other_tasks() {
    let mut each = Box::pin(for_each_bounded(stream::iter(0..100_000), 5, |_| ready(())));
    assert!(each.as_mut().now_or_never().is_none());
    each.await;
    let mut join = Box::pin(try_join_bounded(0..100_000, 5, |i| ready(Ok::<_, ()>(i))));
    assert!(join.as_mut().now_or_never().is_none());
    assert_eq!(join.await.unwrap().len(), 100_000);
}

#[test]
fn a_multi_threaded_task_can_hold_them_and_the_work_may_borrow() {
    async fn length(url: &str) -> Result<usize, String> {
        ready(Ok(url.len())).await
    }
    async fn both(urls: &[String]) -> usize {
        let all = try_join_bounded(urls, 5, |url| length(url)).await;
        let each = gather_bounded(urls.iter(), 5, |url| length(url)).await;
        for_each_bounded(stream::iter(urls), 5, |url| length(url).map(drop)).await;
        all.map_or(0, |all| all.len()) + each.len()
    }
    fn checked<T: Future + Send>(future: T) -> T {
        future
    }
    let urls = ["/a".to_owned(), "/b".to_owned()];
    assert_eq!(checked(both(&urls)).now_or_never(), Some(4));
}

proptest! {
    #[test]
    fn whatever_each_takes_the_bound_holds_and_the_order_stands(
        limit in 1..9_usize,
        lengths_ms in prop::collection::vec(1..100_u64, 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let work = Work::default();
        let outcomes = runtime.block_on(gather_bounded(&lengths_ms, limit, |length_ms| {
            work.takes(*length_ms).map(move |()| Ok::<_, ()>(*length_ms))
        }));
        let in_order: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
        prop_assert!(work.most.get() <= limit);
        prop_assert_eq!(work.most.get(), limit.min(lengths_ms.len()));
        prop_assert_eq!(in_order, lengths_ms);
    }
}
