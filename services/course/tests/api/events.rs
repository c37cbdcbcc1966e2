//! Telling of enrolments: promised with the place, kept when the notification service is there.

use lyceum_contracts::course::Enrolment;
use lyceum_contracts::event::Event;
use lyceum_contracts::notification::EventBatch;
use lyceum_testing::PATIENCE;
use lyceum_testing::peer::{Answer, DownPeer, Received};

use crate::platform::{EVENTS, Platform, accept_all};

#[tokio::test]
async fn an_enrolment_and_its_end_are_told_once() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    let ada = platform.student(1);
    let answer = ada.enrols_in(course.id).await.expect(201);
    let enrolment: Enrolment = answer.json();
    ada.enrols_in(course.id).await.expect(200);
    ada.drops(course.id).await.expect(204);
    assert!(
        platform.notifications.requests().is_empty(),
        "the answer does not wait for it"
    );

    assert_eq!(platform.deliver_pending().await.delivered, 2);
    assert_eq!(platform.deliver_pending().await.delivered, 0);
    let told = platform.notifications.requests();
    assert_eq!(told.len(), 1);
    assert!(told[0].header("idempotency-key").is_some());
    let batch: EventBatch = told[0].json();
    assert_eq!(batch.events.len(), 2);
    assert_eq!(
        batch.events[1].event,
        Event::EnrolmentDropped {
            enrolment_id: enrolment.id,
            user_id: ada.id,
            course_id: course.id,
        }
    );
    let envelope = &batch.events[0];
    assert_eq!(
        envelope.event,
        Event::EnrolmentCreated {
            enrolment_id: enrolment.id,
            user_id: ada.id,
            course_id: course.id,
            course_title: "Logic".to_owned(),
        }
    );
    let cause = answer.header("x-trace-id").unwrap();
    let trace = envelope.traceparent.as_deref().unwrap_or_default();
    assert!(trace.contains(cause), "the effect joins its cause: {trace}");
}

#[tokio::test]
async fn a_dead_notification_service_never_fails_an_enrolment_and_hears_of_it_later() {
    let down = DownPeer::hold();
    let platform = Platform::with(|settings| {
        settings.service.upstreams.notification.base_url = down.url();
    });
    let course = platform.course(None).await;
    platform.student(1).gets_a_place_in(course.id).await;
    assert_eq!(platform.deliver_pending().await.delivered, 0);
    platform.student(2).gets_a_place_in(course.id).await;

    let notifications = down.come_up();
    notifications
        .on(EVENTS)
        .then(Answer::status(500))
        .always_with(accept_all);
    assert_eq!(platform.deliver_pending().await.delivered, 2);
    let batches = notifications.requests();
    let accepted: Vec<EventBatch> = batches.iter().skip(1).map(Received::json).collect();
    let mut people: Vec<i64> = accepted
        .iter()
        .flat_map(|batch| &batch.events)
        .map(|envelope| match &envelope.event {
            Event::EnrolmentCreated { user_id, .. } => user_id.get(),
            other => panic!("not told by this service: {other:?}"),
        })
        .collect();
    people.sort_unstable();
    assert_eq!(people, [1, 2], "each is told once");
}

#[tokio::test]
async fn a_place_that_was_refused_is_not_told() {
    let platform = Platform::start();
    let course = platform.course(Some(1)).await;
    platform.student(1).gets_a_place_in(course.id).await;
    platform.student(2).enrols_in(course.id).await.expect(409);
    platform
        .student(2)
        .enrols_in(999_999.try_into().unwrap())
        .await
        .expect(404);
    assert_eq!(platform.deliver_pending().await.delivered, 1);
    let told: Vec<EventBatch> = platform
        .notifications
        .requests()
        .iter()
        .map(Received::json)
        .collect();
    assert_eq!(
        told.iter().map(|batch| batch.events.len()).sum::<usize>(),
        1
    );
}

#[tokio::test]
async fn an_enrolment_wakes_the_relay() {
    let platform = Platform::with(|settings| {
        settings.service.outbox.relay = true;
        // By itself it would look again long after the test.
        settings.service.outbox.poll_ms = 3_600_000;
    });
    let course = platform.course(None).await;
    for student in 1..=2 {
        platform.student(student).gets_a_place_in(course.id).await;
        let told = usize::try_from(student).unwrap();
        platform
            .notifications
            .wait_for_requests(told, PATIENCE)
            .await;
    }
}
