//! What is committed is told: all of it, in order, and nothing else.

use lyceum_outbox::Outcome;

use crate::kit::{EVENTS, Kit, envelopes, outbox, registered, told_and_dead, yes};

#[tokio::test]
async fn a_committed_event_is_told_once_and_leaves() {
    let kit = Kit::start().await;
    kit.peer.on(EVENTS).then(yes());
    let relay = kit.relay();
    let before = lyceum_chassis::clock::now();
    kit.push([7]).await;
    assert_eq!(relay.pending_count().await.unwrap(), 1);

    let pass = relay.deliver_pending().await.unwrap();
    assert_eq!(
        (told_and_dead(pass), pass.outcome),
        ((1, 0), Outcome::Drained)
    );
    assert_eq!(relay.pending_count().await.unwrap(), 0);

    let again = relay.deliver_pending().await.unwrap();
    assert_eq!(told_and_dead(again), (0, 0));
    let requests = kit.peer.requests();
    let [envelope] = &envelopes(&requests[0])[..] else {
        panic!("one event was written");
    };
    assert_eq!(envelope.event, registered(7));
    assert_eq!(envelope.event_id.get_version_num(), 7);
    assert!((before..=lyceum_chassis::clock::now()).contains(&envelope.occurred_at));
    kit.peer.assert_as_scripted();
}

#[tokio::test]
async fn an_event_whose_transaction_is_given_up_is_never_told() {
    let kit = Kit::start().await;
    let transaction = kit.database.begin_write().await.unwrap();
    lyceum_outbox::push(&transaction, &registered(7))
        .await
        .unwrap();
    drop(transaction);

    let pass = kit.relay().deliver_pending().await.unwrap();
    assert_eq!(told_and_dead(pass), (0, 0));
    kit.peer.assert_as_scripted();
}

#[tokio::test]
async fn events_are_told_in_the_order_they_were_written_batch_by_batch() {
    let kit = Kit::start().await;
    kit.peer.on(EVENTS).always(yes());
    kit.push(1..=3).await;
    kit.push(4..=5).await;
    let mut settings = outbox();
    settings.batch = 2;

    let pass = kit.relay_with(&settings).deliver_pending().await.unwrap();
    assert_eq!(told_and_dead(pass), (5, 0));
    assert_eq!(kit.told(), [vec![1, 2], vec![3, 4], vec![5]]);
}
