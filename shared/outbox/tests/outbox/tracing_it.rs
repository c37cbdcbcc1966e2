//! One story: the event carries the trace it was born in, and the relay's work links to it.

use std::collections::HashSet;

use lyceum_telemetry::{context, metrics_text, testing};
use lyceum_testing::peer::Gate;
use tracing::Instrument;

use crate::kit::{EVENTS, Kit, PATIENCE, envelopes, registered, told_and_dead, yes};
use crate::running::{Running, drained};

#[tokio::test]
async fn an_event_carries_the_trace_of_its_request_and_the_relay_links_to_it() {
    let captured = testing::capture();
    let kit = Kit::start().await;
    kit.peer.on(EVENTS).always(yes());

    let request = tracing::info_span!("request");
    let write = async {
        let transaction = kit.database.begin_write().await.unwrap();
        lyceum_outbox::push(&transaction, &registered(7))
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        context::traceparent().unwrap()
    };
    let traceparent = write.instrument(request).await;
    let pass = kit.relay().deliver_pending().await.unwrap();
    assert_eq!(told_and_dead(pass), (1, 0));

    let requests = kit.peer.requests();
    let told = envelopes(&requests[0]);
    assert_eq!(told[0].traceparent.as_deref(), Some(traceparent.as_str()));

    let sent_by = requests[0].header("traceparent").unwrap();
    let (born_in, delivered_in) = (&traceparent[3..35], &sent_by[3..35]);
    assert_ne!(born_in, delivered_in, "the delivery is a trace of its own");
    let spans = captured.spans_of(delivered_in);
    let root = spans
        .iter()
        .find(|span| span.name == "deliver events")
        .unwrap();
    assert_eq!(root.parent_span_id.to_string(), "0000000000000000");
    let links: Vec<String> = root
        .links
        .iter()
        .map(|link| link.span_context.span_id().to_string())
        .collect();
    assert_eq!(links, [&traceparent[36..52]]);
    let own = spans.iter().any(|span| span.name.starts_with("DELETE"));
    assert!(
        own,
        "deleting what is told belongs to the delivery: {spans:?}"
    );
}

#[tokio::test]
async fn events_written_in_one_statement_are_told_in_their_order_with_the_trace_of_their_request() {
    testing::capture();
    let kit = Kit::start().await;
    kit.peer.on(EVENTS).always(yes());
    let write = async {
        let transaction = kit.database.begin_write().await.unwrap();
        let events: Vec<_> = (1..=150).map(registered).collect();
        lyceum_outbox::push_all(&transaction, &events)
            .await
            .unwrap();
        lyceum_outbox::push_all(&transaction, &[]).await.unwrap();
        transaction.commit().await.unwrap();
        context::traceparent().unwrap()
    };
    let traceparent = write.instrument(tracing::info_span!("request")).await;
    kit.push([151]).await;
    let pass = kit.relay().deliver_pending().await.unwrap();
    assert_eq!(told_and_dead(pass), (151, 0));
    let order: Vec<i64> = kit.told().concat();
    assert_eq!(order, (1..=151).collect::<Vec<_>>());

    let mut told: Vec<_> = kit.peer.requests().iter().flat_map(envelopes).collect();
    let alone = told.pop().unwrap();
    assert_eq!(alone.traceparent, None);
    let ids: HashSet<_> = told.iter().map(|envelope| envelope.event_id).collect();
    assert_eq!(ids.len(), 150);
    for envelope in &told {
        assert_eq!(envelope.traceparent.as_deref(), Some(traceparent.as_str()));
        assert_eq!(envelope.occurred_at, told[0].occurred_at);
    }
}

#[tokio::test]
async fn looking_for_work_leaves_no_trace() {
    let captured = testing::capture();
    let kit = Kit::start().await;
    let before = captured.all_spans().len();
    let idle = kit.relay().deliver_pending().await.unwrap();
    assert_eq!(told_and_dead(idle), (0, 0));
    let polls = captured.all_spans().split_off(before);
    let ours = polls
        .iter()
        .filter(|span| span.name.contains("outbox") && span.name.contains("SELECT"));
    assert_eq!(ours.count(), 0);
}

#[tokio::test]
async fn what_waits_is_counted_while_a_batch_is_under_way() {
    testing::capture();
    let kit = Kit::start().await;
    let gate = Gate::closed();
    kit.peer.on(EVENTS).then(yes().held_by(&gate));
    kit.push(1..=3).await;
    let relay = kit.relay();
    let running = Running::start(&relay);
    let counted = async {
        while !metrics_text().contains("lyceum_outbox_oldest_age") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, counted).await.unwrap();
    gate.open();
    drained(&relay).await;
    running.end().await;
    assert_eq!(kit.told(), [[1, 2, 3]], "the batch was under way until now");
}

#[tokio::test]
async fn what_was_delivered_is_counted() {
    testing::capture();
    let kit = Kit::start().await;
    kit.peer.on(EVENTS).always(yes());
    kit.push(1..=3).await;
    let pass = kit.relay().deliver_pending().await.unwrap();
    assert_eq!(told_and_dead(pass), (3, 0));
    assert!(metrics_text().contains("lyceum_outbox_delivered"));
}
