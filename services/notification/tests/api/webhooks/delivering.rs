//! Messages that arrive: what they say, how many at once, and what becomes of those about
//! somebody who is erased.

use lyceum_contracts::delivery::DeliveryState;
use lyceum_testing::peer::{Answer, Gate, ScriptedPeer};
use lyceum_testing::{PATIENCE, eventually};
use serde_json::{Value, json};

use super::wire::{HOOK, Wire};
use crate::platform::{enrolment, event, registration};

#[tokio::test]
async fn a_message_says_what_happened_as_the_standard_has_it() {
    let (wire, webhook) = Wire::well().await;
    let told = enrolment(7, "Lógica \"I\"");
    wire.happens(std::slice::from_ref(&told)).await;
    let came = wire.arrive(1).await.remove(0);
    assert_eq!(
        came.json::<Value>(),
        json!({"type": "enrolment.created", "timestamp": "2026-01-02T03:04:05Z", "data": told["data"]})
    );
    assert_eq!(came.header("content-type"), Some("application/json"));
    assert_eq!(came.header("user-agent"), Some("lyceum-notification"));
    let event_id = told["event_id"].as_str().unwrap().replace('-', "");
    assert_eq!(came.header("webhook-id"), Some(&*format!("msg_{event_id}")));
    for private in ["authorization", "traceparent", "x-deadline-ms", "cookie"] {
        assert_eq!(came.header(private), None, "{private}");
    }
    let sent = wire
        .the_message(webhook.webhook.id, "sent", |one| {
            one.state == DeliveryState::Sent
        })
        .await;
    assert_eq!((sent.status_code, sent.error), (Some(204), None));
    assert_eq!((sent.attempts, sent.due_at), (0, None));
    assert_eq!(sent.message_id, format!("msg_{event_id}"));

    // Taken in before: nobody is told again.
    wire.happens(&[told]).await;
    assert_eq!(wire.log(webhook.webhook.id).await.len(), 1);
}

#[tokio::test]
async fn five_are_on_their_way_to_one_receiver_and_nobody_waits_for_it() {
    let wire = Wire::start();
    let gate = Gate::closed();
    let held = Answer::status(200).held_by(&gate);
    wire.receiver.on(HOOK).always(held);
    let quick = ScriptedPeer::start();
    quick.on(HOOK).always(Answer::status(200));
    let slow = wire.registers(&["enrolment.created"]).await.webhook.id;
    wire.registers_at(&format!("{}/hook", quick.url()), &["enrolment.created"])
        .await;
    let events: Vec<_> = (1..=12).map(|user| enrolment(user, "Logic")).collect();
    wire.happens(&events).await;
    quick.wait_for_requests(12, PATIENCE).await;
    wire.arrive(5).await;
    let log = wire.log(slow).await;
    let sending = log.iter().filter(|one| one.state == DeliveryState::Sending);
    assert_eq!(sending.count(), 5, "{log:?}");
    assert_eq!(wire.receiver.requests().len(), 5);
    gate.open();
    let mut ids: Vec<_> = wire
        .arrive(12)
        .await
        .iter()
        .map(|one| one.header("webhook-id").unwrap().to_owned())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 12, "each once");
}

#[tokio::test]
async fn of_somebody_who_is_erased_only_that_is_told() {
    let wire = Wire::start();
    let gate = Gate::closed();
    let held = Answer::status(200).held_by(&gate);
    wire.receiver.on(HOOK).always(held);
    let kinds = ["enrolment.created", "user.registered", "user.deleted"];
    let id = wire.registers(&kinds).await.webhook.id;
    wire.patches(id, &json!({"enabled": false}))
        .await
        .expect(200);
    wire.patches(id, &json!({"enabled": true}))
        .await
        .expect(200);
    wire.happens(&[enrolment(1, "Logic"), enrolment(2, "Logic")])
        .await;
    let deleted = event("user.deleted", &json!({"user_id": 1}));
    wire.happens(&[deleted]).await;
    // Too late, and from another service.
    wire.happens(&[enrolment(1, "Sets"), registration(1)]).await;
    let mut kinds: Vec<_> = wire
        .log(id)
        .await
        .into_iter()
        .map(|one| one.event)
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["enrolment.created", "user.deleted"]);
    gate.open();
    eventually("all told", async || {
        let log = wire.log(id).await;
        log.iter()
            .all(|one| one.state == DeliveryState::Sent)
            .then_some(())
    })
    .await;
    let about: Vec<_> = wire.receiver.requests();
    let last = about
        .iter()
        .find(|one| one.json::<Value>()["type"] == "user.deleted");
    assert_eq!(last.unwrap().json::<Value>()["data"], json!({"user_id": 1}));
}

#[tokio::test]
async fn without_a_courier_messages_wait_for_one() {
    let wire = Wire::with(|webhooks| webhooks.run = false);
    let id = wire.registers(&["enrolment.created"]).await.webhook.id;
    wire.happens(&[enrolment(1, "Logic")]).await;
    let waits = wire.log(id).await.remove(0);
    assert_eq!(
        (waits.state, waits.attempts, waits.status_code),
        (DeliveryState::Queued, 0, None)
    );
    assert_eq!(waits.due_at, Some(waits.created_at));
    // Another replica has one, and finds it without being told.
    wire.receiver.on(HOOK).always(Answer::status(200));
    let _replica = wire.replica_with_all(|settings| {
        let webhooks = &mut settings.service.webhooks;
        (webhooks.run, webhooks.allow_private, webhooks.poll_ms) = (true, true, 50);
    });
    let sent = |one: &lyceum_contracts::webhook::WebhookDelivery| one.state == DeliveryState::Sent;
    wire.the_message(id, "sent", sent).await;
}
