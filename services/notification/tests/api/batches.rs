//! Many events in one batch: they have their effects together, and are told as if one by one.

use std::slice;

use futures_util::future::join_all;
use lyceum_contracts::notification::EventReceipt;
use lyceum_testing::PATIENCE;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::platform::{Platform, announcement, data, enrolment, event};

const TOGETHER_FAILED: &str = "event.batch_failed";

impl Platform {
    fn failed_together(&self) -> bool {
        let lines = self.app.captured().lines();
        lines.iter().any(|line| line.contains(TOGETHER_FAILED))
    }
}

#[tokio::test]
async fn everybody_is_told_everything_in_the_order_of_the_batch() {
    let platform = Platform::start();
    let people = [1, 2, 3, 4].map(|id| platform.person(id));
    let (mut stream, _) = people[2].listens(None).await;
    let courses: Vec<String> = (0..25).map(|number| format!("Logic {number}")).collect();
    let to_all = courses.iter();
    let batch: Vec<Value> = to_all
        .flat_map(|course| [3, 1, 4, 2].map(|user| enrolment(user, course)))
        .collect();
    assert_eq!(platform.happens(&batch).await.accepted, 100);
    let told: Vec<_> = (1..).zip(courses.iter()).collect();
    let told: Vec<_> = told
        .into_iter()
        .map(|(seq, course)| (seq, format!("You are enrolled in {course}")))
        .collect();
    for person in &people {
        let mut inbox = person.page("?limit=100").await.items;
        inbox.reverse();
        let inbox: Vec<_> = inbox.into_iter().map(|it| (it.seq, it.title)).collect();
        assert_eq!(inbox, told);
    }
    for (seq, title) in told {
        let live = data(&stream.next_event(PATIENCE).await);
        assert_eq!((&live["seq"], &live["title"]), (&seq.into(), &title.into()));
    }
}

#[tokio::test]
async fn what_is_told_again_to_many_replaces_what_each_of_them_has() {
    let platform = Platform::start();
    let told =
        |title: &str| -> Vec<Value> { (1..=50).map(|user| announcement(7, user, title)).collect() };
    let (ada, bob) = (platform.person(1), platform.person(2));
    platform.happens(&told("On Saturday")).await;
    platform.enrols(&bob, "Logic").await;
    let saturday = bob.inbox().await.pop().unwrap().id;
    let (mut stream, _) = bob.listens(Some("2")).await;
    assert_eq!(platform.happens(&told("On Sunday")).await.accepted, 50);
    for id in 1..=50 {
        let inbox = platform.person(id).inbox().await;
        let newest = &inbox[0];
        let last = if id == 2 { 4 } else { 3 };
        assert_eq!((newest.seq, newest.title.as_str()), (last, "On Sunday"));
    }
    assert_eq!((ada.unread().await, bob.unread().await), (1, 2));
    let deleted = data(&stream.next_event(PATIENCE).await);
    let count = json!({"unread": 1, "capped": false});
    let change = json!({"change": "deleted", "seq": 3, "id": saturday, "count": count});
    assert_eq!(deleted, change);
    assert_eq!(
        data(&stream.next_event(PATIENCE).await)["title"],
        "On Sunday"
    );
}

#[tokio::test]
async fn what_is_told_and_told_again_in_one_batch_ends_as_the_newest() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let batch = [
        enrolment(1, "Logic"),
        announcement(7, 1, "On Friday"),
        announcement(7, 1, "On Saturday"),
        enrolment(1, "Sets"),
        announcement(7, 1, "On Sunday"),
    ];
    assert_eq!(platform.happens(&batch).await.accepted, 5);
    let inbox = ada.inbox().await;
    let inbox: Vec<_> = inbox.iter().map(|it| (it.seq, it.title.as_str())).collect();
    let told = [
        (7, "On Sunday"),
        (5, "You are enrolled in Sets"),
        (1, "You are enrolled in Logic"),
    ];
    assert_eq!(inbox, told);
    assert!(!platform.failed_together());
}

#[tokio::test]
async fn batches_about_the_same_people_in_any_order_do_not_hold_one_another_up() {
    let platform = Platform::start();
    let batches: Vec<Vec<Value>> = (0..20)
        .map(|number| {
            let mut people: Vec<i64> = (1..=20).collect();
            if number % 2 == 0 {
                people.reverse();
            }
            people.rotate_left(number);
            let told = people.into_iter().map(|user| enrolment(user, "Logic"));
            told.collect()
        })
        .collect();
    join_all(batches.iter().map(|batch| platform.happens(batch))).await;
    for id in 1..=20 {
        let mut places: Vec<i64> = platform
            .person(id)
            .inbox()
            .await
            .iter()
            .map(|it| it.seq)
            .collect();
        places.reverse();
        assert_eq!(places, (1..=20).collect::<Vec<_>>());
    }
    assert!(!platform.failed_together());
}

#[tokio::test]
async fn an_event_that_cannot_have_its_effect_holds_back_none_before_it() {
    let platform = Platform::start();
    let (ada, bob) = (platform.person(1), platform.person(2));
    let database = platform.app.database().connect().await;
    let refuse = "CREATE UNIQUE INDEX one_of_a_title ON notifications (title)";
    database.execute_unprepared(refuse).await.unwrap();
    let batch = [
        enrolment(1, "Logic"),
        enrolment(2, "Sets"),
        enrolment(2, "Logic"),
        enrolment(1, "Music"),
    ];
    platform.deliver(&batch).await.expect(500).problem();
    assert!(platform.failed_together());
    assert_eq!((ada.unread().await, bob.unread().await), (1, 1));
    let allow = "DROP INDEX one_of_a_title";
    database.execute_unprepared(allow).await.unwrap();
    let receipt = EventReceipt {
        accepted: 2,
        duplicates: 2,
    };
    assert_eq!(platform.happens(&batch).await, receipt);
    assert_eq!((ada.unread().await, bob.unread().await), (2, 2));
}

#[tokio::test]
async fn who_is_deleted_within_a_batch_keeps_nothing_of_it() {
    let platform = Platform::start();
    let (ada, bob) = (platform.person(1), platform.person(2));
    let deletion = event("user.deleted", &json!({"user_id": 1}));
    let told = [enrolment(1, "Logic"), enrolment(2, "Logic")];
    let batch = [&told[..], slice::from_ref(&deletion), &told[..]].concat();
    let receipt = EventReceipt {
        accepted: 3,
        duplicates: 2,
    };
    assert_eq!(platform.happens(&batch).await, receipt);
    let late = [enrolment(1, "Sets"), enrolment(2, "Sets")];
    assert_eq!(platform.happens(&late).await.accepted, 2);
    assert_eq!(ada.inbox().await, []);
    assert_eq!(bob.unread().await, 2);
}
