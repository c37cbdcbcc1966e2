//! Several relays on one database share the work and leave one another's rows alone.

use std::collections::BTreeSet;

use lyceum_outbox::Outcome;
use lyceum_testing::peer::{Answer, Gate};
use tokio::task::JoinSet;

use crate::kit::{EVENTS, Kit, PATIENCE, outbox, told_and_dead, yes};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_event_is_told_by_one_of_them() {
    let kit = Kit::start().await;
    kit.peer.on(EVENTS).always(yes());
    kit.push(1..=300).await;
    let mut settings = outbox();
    settings.batch = 20;

    let mut relays = JoinSet::new();
    for _ in 0..4 {
        let relay = kit.relay_with(&settings);
        relays.spawn(async move { relay.deliver_pending().await.unwrap().delivered });
    }
    let mut delivered = 0;
    while let Some(share) = relays.join_next().await {
        delivered += share.unwrap();
    }
    // A relay that meets only rows of others is done; what they claimed is theirs to tell.
    assert_eq!(delivered, 300);
    let told: Vec<i64> = kit.told().into_iter().flatten().collect();
    assert_eq!(told.len(), 300);
    assert_eq!(
        told.into_iter().collect::<BTreeSet<_>>(),
        (1..=300).collect()
    );
}

#[tokio::test]
async fn a_claimed_event_is_nobody_elses_until_its_lease_ends() {
    let kit = Kit::start().await;
    let gate = Gate::closed();
    kit.peer.on(EVENTS).then(yes().held_by(&gate));
    kit.push([1]).await;

    let first = kit.relay();
    let under_way = tokio::task::spawn(async move { first.deliver_pending().await });
    kit.peer.wait_for_requests(1, PATIENCE).await;
    let second = kit.relay();
    assert_eq!(
        told_and_dead(second.deliver_pending().await.unwrap()),
        (0, 0)
    );
    gate.open();
    assert_eq!(told_and_dead(under_way.await.unwrap().unwrap()), (1, 0));
    assert_eq!(second.pending_count().await.unwrap(), 0);
    kit.peer.assert_as_scripted();
}

#[tokio::test]
async fn a_relay_that_fails_after_its_lease_does_not_take_back_what_another_has_claimed() {
    let kit = Kit::start().await;
    let (slow, second) = (Gate::closed(), Gate::closed());
    kit.peer
        .on(EVENTS)
        .then(Answer::status(503).held_by(&slow))
        .then(yes().held_by(&second));
    kit.push([1]).await;

    let relay = kit.relay();
    let outlived = tokio::task::spawn(async move { relay.deliver_pending().await });
    kit.peer.wait_for_requests(1, PATIENCE).await;
    kit.end_leases().await;
    let relay = kit.relay();
    let under_way = tokio::task::spawn(async move { relay.deliver_pending().await });
    kit.peer.wait_for_requests(2, PATIENCE).await;

    slow.open();
    let failed = outlived.await.unwrap().unwrap();
    assert!(matches!(failed.outcome, Outcome::PeerUnavailable { .. }));
    let third = kit.relay();
    assert_eq!(
        told_and_dead(third.deliver_pending().await.unwrap()),
        (0, 0)
    );
    second.open();
    assert_eq!(told_and_dead(under_way.await.unwrap().unwrap()), (1, 0));
    kit.peer.assert_as_scripted();
}
