//! The relay at work: woken, polling, patient, and ended when told to.

use std::time::Duration;

use lyceum_outbox::{OutboxSettings, Relay};
use lyceum_testing::peer::{Answer, DownPeer, Gate};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::kit::{EVENTS, Kit, PATIENCE, client, outbox, yes};

pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(relay: &Relay) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::task::spawn(relay.clone().run(stop.clone()));
        Self { stop, task }
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.task)
            .await
            .expect("the relay ends when told to")
            .unwrap();
    }
}

/// Waits until the relay has nothing left to tell.
pub(crate) async fn drained(relay: &Relay) {
    let empty = async {
        while relay.pending_count().await.unwrap() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, empty).await.expect("the outbox is told");
}

#[tokio::test]
async fn a_wake_up_after_the_commit_is_enough() {
    let kit = Kit::start().await;
    kit.peer.on(EVENTS).always(yes());
    let relay = kit.relay();
    let running = Running::start(&relay);
    for user in 1..=3 {
        kit.push([user]).await;
        relay.waker().wake();
        drained(&relay).await;
    }
    running.end().await;
    assert_eq!(kit.told().concat(), [1, 2, 3]);
}

#[tokio::test]
async fn polling_finds_what_nobody_wakes_the_relay_for() {
    let kit = Kit::start().await;
    kit.peer.on(EVENTS).then(yes());
    let relay = kit.relay_with(&OutboxSettings {
        poll_ms: 10,
        ..outbox()
    });
    let running = Running::start(&relay);
    kit.push([1]).await;
    drained(&relay).await;
    running.end().await;
}

#[tokio::test]
async fn a_peer_that_comes_back_hears_of_everything_it_missed() {
    let kit = Kit::start().await;
    let down = DownPeer::hold();
    let relay = Relay::new(kit.database.clone(), client(down.url()), &outbox());
    let running = Running::start(&relay);
    kit.push(1..=5).await;
    relay.waker().wake();

    let back = down.come_up();
    back.on(EVENTS).always(yes());
    drained(&relay).await;
    running.end().await;
    let told: Vec<i64> = back.requests().iter().flat_map(crate::kit::users).collect();
    assert_eq!(told, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_relay_told_to_stop_finishes_the_batch_under_way_and_begins_no_other() {
    let kit = Kit::start().await;
    let gate = Gate::closed();
    kit.peer.on(EVENTS).then(yes().held_by(&gate));
    let relay = kit.relay_with(&OutboxSettings {
        batch: 1,
        ..outbox()
    });
    kit.push(1..=2).await;
    let running = Running::start(&relay);
    kit.peer.wait_for_requests(1, PATIENCE).await;
    running.stop.cancel();
    gate.open();
    running.end().await;
    assert_eq!(relay.pending_count().await.unwrap(), 1);
    kit.peer.assert_as_scripted();
}

#[tokio::test]
async fn a_relay_told_to_stop_does_not_wait_for_a_peer_that_is_down() {
    let kit = Kit::start().await;
    let busy = Answer::status(503).header("retry-after", "3600");
    kit.peer.on(EVENTS).then(busy);
    let relay = kit.relay();
    kit.push([1]).await;
    let running = Running::start(&relay);
    kit.peer.wait_for_requests(1, PATIENCE).await;
    timeout(Duration::from_secs(10), running.end())
        .await
        .expect("the pause is cut short");
}
