//! Events in: each has its effect, once, whatever happens on the way.

use futures_util::future::join_all;
use lyceum_contracts::notification::EventReceipt;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::platform::{EVENTS, Platform, enrolment, event, registration};

#[tokio::test]
async fn an_enrolment_is_told_to_who_enrolled_and_to_nobody_else() {
    let platform = Platform::start();
    let (ada, bob) = (platform.person(1), platform.person(2));
    platform.enrols(&ada, "Logic").await;
    let inbox = ada.inbox().await;
    let [notification] = &inbox[..] else {
        panic!("one notification: {inbox:?}");
    };
    assert_eq!(notification.seq, 1);
    assert_eq!(notification.kind, "enrolment.created");
    assert_eq!(notification.title, "You are enrolled in Logic");
    assert_eq!(
        notification.data,
        json!({"course_id": 3, "enrolment_id": 5})
    );
    assert_eq!(notification.read_at, None);
    assert_eq!((ada.unread().await, bob.unread().await), (1, 0));
    assert_eq!(bob.inbox().await, []);
}

#[tokio::test]
async fn a_registration_tells_nobody_anything() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let receipt = platform.happens(&[registration(1), registration(1)]).await;
    assert_eq!(
        receipt,
        EventReceipt {
            accepted: 2,
            duplicates: 0
        }
    );
    assert_eq!(ada.inbox().await, []);
    platform.enrols(&ada, "Logic").await;
    platform.happens(&[registration(1)]).await;
    assert_eq!(
        ada.inbox().await[0].seq,
        1,
        "a late registration does not set the sequence back"
    );
}

#[tokio::test]
async fn a_batch_delivered_twenty_times_at_once_has_its_effects_once() {
    let platform = Platform::start();
    let (ada, bob) = (platform.person(1), platform.person(2));
    let batch = [
        registration(1),
        enrolment(1, "Logic"),
        enrolment(2, "Logic"),
        enrolment(1, "Sets"),
    ];
    let receipts = join_all((0..20).map(|_| platform.happens(&batch))).await;
    let accepted: u64 = receipts.iter().map(|receipt| receipt.accepted).sum();
    let duplicates: u64 = receipts.iter().map(|receipt| receipt.duplicates).sum();
    assert_eq!((accepted, duplicates), (4, 76));
    assert_eq!((ada.inbox().await.len(), bob.inbox().await.len()), (2, 1));
}

#[tokio::test]
async fn an_event_that_stands_twice_in_a_batch_has_its_effect_once() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let twice = enrolment(1, "Logic");
    let receipt = platform.happens(&[twice.clone(), twice]).await;
    assert_eq!(
        receipt,
        EventReceipt {
            accepted: 1,
            duplicates: 1
        }
    );
    assert_eq!(ada.inbox().await.len(), 1);
}

#[tokio::test]
async fn a_sequence_has_no_gap_and_no_repeat_however_many_write_to_it() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let batches: Vec<[Value; 3]> = (0..20)
        .map(|_| {
            [
                enrolment(1, "Logic"),
                enrolment(2, "Logic"),
                enrolment(1, "Sets"),
            ]
        })
        .collect();
    join_all(batches.iter().map(|batch| platform.happens(batch))).await;
    let mut places: Vec<i64> = ada.inbox().await.iter().map(|it| it.seq).collect();
    places.reverse();
    assert_eq!(places, (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_effect_that_fails_leaves_nothing_and_can_be_repeated() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let database = platform.app.database().connect().await;
    let rename = "ALTER TABLE notifications RENAME TO elsewhere";
    database.execute_unprepared(rename).await.unwrap();
    let batch = [enrolment(1, "Logic")];
    let failure = platform.deliver(&batch).await.expect(500).problem();
    assert_eq!(
        failure.detail, None,
        "the cause is not the caller's to read"
    );

    let back = "ALTER TABLE elsewhere RENAME TO notifications";
    database.execute_unprepared(back).await.unwrap();
    let receipt = platform.happens(&batch).await;
    assert_eq!(
        receipt,
        EventReceipt {
            accepted: 1,
            duplicates: 0
        }
    );
    assert_eq!(
        ada.inbox().await[0].seq,
        1,
        "the number taken in vain was given back"
    );
}

#[tokio::test]
async fn a_batch_has_1_to_100_events() {
    let platform = Platform::start();
    for length in [0, 101] {
        let events: Vec<Value> = (0..length).map(|_| registration(1)).collect();
        let problem = platform.deliver(&events).await.expect(422).problem();
        assert_eq!(problem.errors[0].pointer, "#/events", "{length}");
    }
    let events: Vec<Value> = (0..100).map(|_| registration(1)).collect();
    assert_eq!(platform.happens(&events).await.accepted, 100);
}

#[tokio::test]
async fn an_unknown_event_is_named_and_the_whole_batch_refused() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let unknown = event("course.exploded", &json!({}));
    let answer = platform.deliver(&[enrolment(1, "Logic"), unknown]).await;
    let problem = answer.expect(422).problem();
    let [fault] = &problem.errors[..] else {
        panic!("one fault: {problem:?}");
    };
    assert_eq!(
        (fault.pointer.as_str(), fault.code.as_str()),
        ("#/events/1/type", "unknown_event")
    );
    assert!(fault.detail.contains("course.exploded"), "{}", fault.detail);
    assert_eq!(ada.inbox().await, []);
}

#[tokio::test]
async fn every_fault_of_every_event_is_named() {
    let platform = Platform::start();
    let events = json!([
        {"event_id": "x", "occurred_at": "yesterday", "traceparent": 7, "type": "user.registered",
         "data": {"user_id": 0}, "colour": "red"},
        {"type": "enrolment.created", "data": {"enrolment_id": 5, "user_id": "1", "course_id": 3}},
        enrolment(1, "Lo\u{0}gic"),
        enrolment(1, ""),
        "event",
    ]);
    let answer = platform.deliver(events.as_array().unwrap()).await;
    let problem = answer.expect(422).problem();
    let pointers: Vec<_> = problem
        .errors
        .iter()
        .map(|fault| fault.pointer.as_str())
        .collect();
    assert_eq!(
        pointers,
        [
            "#/events/0/event_id",
            "#/events/0/occurred_at",
            "#/events/0/traceparent",
            "#/events/0/data",
            "#/events/0/colour",
            "#/events/1/event_id",
            "#/events/1/occurred_at",
            "#/events/1/data",
            "#/events/2/data",
            "#/events/3/data",
            "#/events/4",
        ]
    );
}

#[tokio::test]
async fn a_newer_sender_may_say_more_in_the_data_of_an_event() {
    let platform = Platform::start();
    let newer = event("user.registered", &json!({"user_id": 1, "invited_by": 2}));
    assert_eq!(platform.happens(&[newer]).await.accepted, 1);
}

#[tokio::test]
async fn titles_are_kept_as_they_were_sent() {
    let platform = Platform::start();
    let ada = platform.person(1);
    for title in [
        "Ame\u{301}lie",
        "Am\u{e9}lie",
        "1' OR '1'='1",
        "<b>{{7*7}}</b>",
        "日本語 🦀",
        "%_\\",
    ] {
        platform.enrols(&ada, title).await;
        let newest = ada.page("?limit=1").await.items.remove(0);
        assert_eq!(newest.title, format!("You are enrolled in {title}"));
    }
}

#[tokio::test]
async fn only_the_services_of_the_platform_tell_events() {
    let platform = Platform::start();
    let body = json!({ "events": [enrolment(1, "Logic")] });
    let client = platform.app.client();
    client
        .post(EVENTS)
        .json(&body)
        .send()
        .await
        .expect(401)
        .problem();
    for token in [platform.tokens.student(1), platform.tokens.admin(2)] {
        let answer = client.post(EVENTS).bearer(token).json(&body).send().await;
        answer.expect(403).problem();
    }
    assert_eq!(platform.person(1).inbox().await, []);
}

#[tokio::test]
async fn who_is_deleted_has_nothing_left_and_is_told_nothing_that_comes_late() {
    let platform = Platform::start();
    let (ada, bob) = (platform.person(1), platform.person(2));
    platform.enrols(&ada, "Logic").await;
    platform.enrols(&bob, "Logic").await;
    let deletion = event("user.deleted", &json!({"user_id": 1}));
    platform.happens(std::slice::from_ref(&deletion)).await;
    // From another service, or from another relay, and from before the deletion.
    platform.enrols(&ada, "Sets").await;
    platform.happens(&[registration(1), deletion]).await;
    assert_eq!(ada.inbox().await, []);
    assert_eq!((ada.unread().await, bob.unread().await), (0, 1));
}

#[tokio::test]
async fn a_deletion_that_comes_before_anything_else_counts_as_well() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let deletion = event("user.deleted", &json!({"user_id": 1}));
    let batch = [deletion, registration(1), enrolment(1, "Logic")];
    assert_eq!(platform.happens(&batch).await.accepted, 3);
    assert_eq!(ada.inbox().await, []);
}

#[tokio::test]
async fn an_announcement_is_found_in_the_inbox() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let data = json!({
        "announcement_id": 7, "user_id": 1, "title": "Maintenance", "text": "On Sunday.\nAll day.",
    });
    platform
        .happens(&[event("announcement.posted", &data)])
        .await;
    let [notification] = &ada.inbox().await[..] else {
        panic!("one notification");
    };
    assert_eq!(notification.title, "Maintenance");
    assert_eq!(notification.body, "On Sunday.\nAll day.");
    assert_eq!(notification.data, json!({"announcement_id": 7}));
}

#[tokio::test]
async fn a_change_of_an_account_and_a_link_to_be_mailed_tell_nobody_anything() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let link = json!({"user_id": 1, "link_id": 3, "purpose": "reset_password"});
    let batch = [
        event("user.updated", &json!({"user_id": 1})),
        event("mailed_link.requested", &link),
    ];
    assert_eq!(platform.happens(&batch).await.accepted, 2);
    assert_eq!(ada.inbox().await, []);
}
