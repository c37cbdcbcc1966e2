//! Slots and the queue before them, with a limit that stays.

mod adaptive;

use super::*;
use std::future::Future;
use std::task::{Context, Poll, Waker};

fn bulkhead(max_in_flight: usize, max_queued: usize) -> Bulkhead {
    let settings = BulkheadSettings {
        max_in_flight,
        max_queued,
        ..BulkheadSettings::default()
    };
    Bulkhead::new(&settings).unwrap()
}

fn later() -> Deadline {
    Deadline::after(Duration::from_mins(1))
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_gets_the_slot_that_is_given_back() {
    let bulkhead = bulkhead(1, 1);
    let first = bulkhead.acquire(later()).await.unwrap();
    let mut second = Box::pin(bulkhead.acquire(later()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(second.as_mut().poll(&mut context).is_pending());
    assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (1, 1));
    drop(first);
    assert!(second.await.is_ok());
    assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_at_once_and_a_cancelled_wait_frees_its_place() {
    let bulkhead = bulkhead(1, 1);
    let _slot = bulkhead.acquire(later()).await.unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let mut waiting = Box::pin(bulkhead.acquire(later()));
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    let mut refused = Box::pin(bulkhead.acquire(later()));
    assert!(matches!(
        refused.as_mut().poll(&mut context),
        Poll::Ready(Err(Full))
    ));
    drop(waiting);
    assert_eq!(bulkhead.queued(), 0);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_allowed_nor_past_the_deadline() {
    let bulkhead = bulkhead(1, 8);
    let _slot = bulkhead.acquire(later()).await.unwrap();
    let start = Instant::now();
    assert_eq!(bulkhead.acquire(later()).await.unwrap_err(), Full);
    assert_eq!(start.elapsed(), Duration::from_millis(100));
    let start = Instant::now();
    let soon = Deadline::after(Duration::from_millis(7));
    assert_eq!(bulkhead.acquire(soon).await.unwrap_err(), Full);
    assert!(
        start.elapsed() <= Duration::from_millis(8),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(bulkhead.queued(), 0);
}

#[test]
fn a_bulkhead_without_slots_is_refused_by_name() {
    let settings = BulkheadSettings {
        max_in_flight: 0,
        ..BulkheadSettings::default()
    };
    assert_eq!(
        Bulkhead::new(&settings).unwrap_err().key,
        "bulkhead.max_in_flight"
    );
}
