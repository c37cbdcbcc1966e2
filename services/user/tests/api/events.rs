//! What the notification service is told, and when.

use lyceum_contracts::event::Event;
use lyceum_contracts::notification::EventBatch;
use lyceum_outbox::Outcome;
use lyceum_testing::PATIENCE;
use lyceum_testing::peer::Answer;

use crate::platform::{EVENTS, Platform, registration};

fn registered(batch: EventBatch) -> Vec<i64> {
    let events = batch.events.into_iter();
    events
        .map(|envelope| match envelope.event {
            Event::UserRegistered { user_id } => user_id.get(),
            other => panic!("not expected: {other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn a_registration_is_told_once_and_a_refused_one_never() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.registers(&ada.email).await.expect(409);
    assert_eq!(
        platform.deliver_pending().await.delivered,
        2,
        "the first admin and Ada"
    );
    assert_eq!(platform.deliver_pending().await.delivered, 0);
    let told = platform.notification.requests();
    assert_eq!(told.len(), 1);
    let tokens = told[0].bearer().unwrap().split('.').count();
    assert_eq!(tokens, 3, "a service token");
    assert_eq!(registered(told[0].json()), [1, ada.id.get()]);
    assert!(
        !String::from_utf8_lossy(&told[0].body).contains("example.org"),
        "ids alone"
    );
}

#[tokio::test]
async fn an_event_keeps_the_trace_of_the_registration() {
    let platform = Platform::with(|settings| settings.service.admin.email.clear());
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = platform
        .client()
        .post("/users")
        .json(&registration("ada@example.org"));
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    request.send().await.expect(201);
    assert_eq!(platform.deliver_pending().await.delivered, 1);
    let batch: EventBatch = platform.notification.requests()[0].json();
    assert!(
        batch.events[0]
            .traceparent
            .as_deref()
            .unwrap()
            .contains(trace)
    );
}

#[tokio::test]
async fn a_notification_service_that_is_down_fails_no_registration() {
    let platform = Platform::with(|settings| settings.service.admin.email.clear());
    platform
        .notification
        .on(EVENTS)
        .then(Answer::status(503))
        .then(Answer::status(503));
    platform.registers("ada@example.org").await.expect(201);
    let pass = platform.deliver_pending().await;
    assert_eq!(pass.delivered, 0);
    assert!(matches!(pass.outcome, Outcome::PeerUnavailable { .. }));
    assert_eq!(
        platform.deliver_pending().await.delivered,
        1,
        "and is told when it is back"
    );
}

#[tokio::test]
async fn the_relay_of_a_running_service_is_woken_by_a_registration() {
    let platform = Platform::with(|settings| {
        settings.service.admin.email.clear();
        settings.service.outbox.relay = true;
        // Long enough that only a wake-up explains the delivery.
        settings.service.outbox.poll_ms = 600_000;
    });
    platform.registers("ada@example.org").await.expect(201);
    let told = platform.notification.wait_for_requests(1, PATIENCE).await;
    assert_eq!(registered(told[0].json()), [1]);
    let tasks = platform
        .app
        .operations()
        .get("/debug/tasks")
        .send()
        .await
        .expect(200);
    assert!(tasks.text().contains("outbox relay"));
}
