//! What admins see of messages, and sending one again.

use lyceum_contracts::delivery::DeliveryState;
use lyceum_contracts::page::Page;
use lyceum_contracts::webhook::WebhookDelivery;
use lyceum_testing::peer::{Answer, Gate};
use serde_json::json;

use super::wire::{HOOK, Wire};
use crate::platform::enrolment;

#[tokio::test]
async fn messages_are_listed_by_state_newest_first_and_page_by_page() {
    let wire = Wire::with(|webhooks| webhooks.run = false);
    let id = wire.registers(&["enrolment.created"]).await.webhook.id;
    let other = wire.registers(&["user.updated"]).await.webhook.id;
    let events: Vec<_> = (1..=5).map(|user| enrolment(user, "Logic")).collect();
    wire.happens(&events).await;
    let path = format!("/webhooks/{id}/deliveries?limit=3");
    let page: Page<WebhookDelivery> = wire.admin.get(&path).await.expect(200).json();
    let next = format!("{path}&cursor={}", page.next_cursor.unwrap());
    let rest: Page<WebhookDelivery> = wire.admin.get(&next).await.expect(200).json();
    assert_eq!((rest.items.len(), rest.next_cursor), (2, None));
    let all: Vec<_> = page.items.iter().chain(&rest.items).collect();
    assert!(all.is_sorted_by(|one, next| one.id > next.id));
    let newest = events[4]["event_id"].as_str().unwrap().replace('-', "");
    assert_eq!(all[0].message_id, format!("msg_{newest}"));
    assert_eq!(wire.log(other).await, []);

    wire.patches(id, &json!({"enabled": false}))
        .await
        .expect(200);
    for (state, count) in [("cancelled", 5), ("queued", 0)] {
        let path = format!("/webhooks/{id}/deliveries?state={state}");
        let page: Page<WebhookDelivery> = wire.admin.get(&path).await.expect(200).json();
        assert_eq!(page.items.len(), count, "{state}");
    }
    let lost = format!("/webhooks/{id}/deliveries?state=lost");
    let problem = wire.admin.get(&lost).await.expect(422).problem();
    assert_eq!(problem.errors[0].pointer, "?state");
}

#[tokio::test]
async fn a_message_is_sent_again_whatever_became_of_it_as_the_same_one() {
    let (wire, webhook) = Wire::well().await;
    let id = webhook.webhook.id;
    wire.happens(&[enrolment(1, "Logic")]).await;
    let sent = |one: &WebhookDelivery| one.state == DeliveryState::Sent;
    let message = wire.the_message(id, "sent", sent).await;
    let resend = format!("/webhooks/{id}/deliveries/{}/resend", message.id);
    let queued: WebhookDelivery = wire.admin.post(&resend).await.expect(200).json();
    assert_eq!(
        (queued.state, queued.attempts, queued.message_id),
        (DeliveryState::Queued, 0, message.message_id)
    );
    let came = wire.arrive(2).await;
    assert_eq!(came[0].header("webhook-id"), came[1].header("webhook-id"));
    assert_eq!(came[0].body, came[1].body);
    wire.the_message(id, "sent", sent).await;

    let other = wire.registers(&["user.updated"]).await.webhook.id;
    for path in [
        format!("/webhooks/{other}/deliveries/{}/resend", message.id),
        format!("/webhooks/{id}/deliveries/99/resend"),
        format!("/webhooks/{id}/deliveries/first/resend"),
        format!("/webhooks/99/deliveries/{}/resend", message.id),
    ] {
        wire.admin.post(&path).await.expect(404);
    }
    wire.patches(id, &json!({"enabled": false}))
        .await
        .expect(200);
    wire.admin.post(&resend).await.expect(409);
}

#[tokio::test]
async fn a_message_on_its_way_is_not_sent_again() {
    let wire = Wire::start();
    let gate = Gate::closed();
    let held = Answer::status(200).held_by(&gate);
    wire.receiver.on(HOOK).always(held);
    let id = wire.registers(&["enrolment.created"]).await.webhook.id;
    wire.happens(&[enrolment(1, "Logic")]).await;
    wire.arrive(1).await;
    let message = wire.log(id).await.remove(0);
    let resend = format!("/webhooks/{id}/deliveries/{}/resend", message.id);
    wire.admin.post(&resend).await.expect(409);
    gate.open();
    let sent = |one: &WebhookDelivery| one.state == DeliveryState::Sent;
    wire.the_message(id, "sent", sent).await;
    assert_eq!(wire.receiver.requests().len(), 1);
}
