//! What a person does on one device is told on the others, in the same sequence.

use lyceum_contracts::notification::{NotificationChange, UnreadCount};
use lyceum_testing::PATIENCE;
use lyceum_testing::database::Engine;
use lyceum_testing::http::SseStream;
use serde_json::json;

use crate::platform::{Person, Platform, data};
use crate::socket::Socket;

async fn next_change(stream: &mut SseStream) -> NotificationChange {
    let message = stream.next_event(PATIENCE).await;
    assert_eq!(message.event.as_deref(), Some("change"), "{message:?}");
    let change: NotificationChange = serde_json::from_value(data(&message)).unwrap();
    assert_eq!(message.id, Some(change.seq().to_string()));
    change
}

async fn hears_change(socket: &mut Socket) -> NotificationChange {
    let mut told = socket.hears().await;
    let kind = told.as_object_mut().and_then(|it| it.remove("type"));
    assert_eq!(kind, Some(json!("change")), "{told}");
    serde_json::from_value(told).unwrap()
}

/// What ada does with her two notifications, and what is told of it from place 3 on.
async fn does_everything(ada: &Person) -> Vec<NotificationChange> {
    use NotificationChange::{Archived, Deleted, Read, ReadAll, Unarchived, Unread};
    let count = |unread| UnreadCount {
        unread,
        capped: false,
    };
    let [second, first] = &ada.inbox().await[..] else {
        panic!("two notifications");
    };
    let (one, two) = (first.id, second.id);
    ada.does("read", one).await.expect(200);
    ada.does("unread", one).await.expect(200);
    ada.does("archive", one).await.expect(200);
    ada.does("unarchive", one).await.expect(200);
    ada.does("unread", one).await.expect(200);
    ada.reads_up_to(1).await.expect(204);
    ada.deletes(two).await.expect(204);
    let (seq, id) = (3, one);
    vec![
        Read {
            seq,
            id,
            count: count(1),
        },
        Unread {
            seq: 4,
            id,
            count: count(2),
        },
        Archived {
            seq: 5,
            id,
            count: count(1),
        },
        Unarchived {
            seq: 6,
            id,
            count: count(1),
        },
        Unread {
            seq: 7,
            id,
            count: count(2),
        },
        ReadAll {
            seq: 8,
            up_to: 1,
            count: count(1),
        },
        Deleted {
            seq: 9,
            id: two,
            count: count(0),
        },
    ]
}

#[tokio::test]
async fn a_change_is_told_on_every_stream_of_the_person_and_on_no_other() {
    let platform = Platform::start();
    let (ada, bob) = (platform.person(1), platform.person(2));
    platform.enrols_in_many(&ada, 2).await;
    let (mut stream, _) = ada.listens(None).await;
    let (mut socket, _) = ada.tunes_in(None).await;
    let (mut bobs, _) = bob.tunes_in(None).await;
    for change in does_everything(&ada).await {
        assert_eq!(next_change(&mut stream).await, change);
        assert_eq!(hears_change(&mut socket).await, change);
    }
    platform.enrols(&bob, "Sets").await;
    assert_eq!(bobs.hears_notification().await.seq, 1);
    platform.enrols(&ada, "Sets").await;
    assert_eq!(socket.hears_notification().await.seq, 10);
}

#[tokio::test]
async fn a_client_that_was_away_is_told_what_was_done_meanwhile() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 2).await;
    let changes = does_everything(&ada).await;
    let (mut stream, sync) = ada.listens(Some("2")).await;
    assert_eq!(
        sync,
        json!({"recovered": true, "head_seq": 9, "unread": 0, "capped": false})
    );
    for change in &changes {
        assert_eq!(next_change(&mut stream).await, *change);
    }
    drop(stream);
    let (mut socket, _) = ada.tunes_in(Some(5)).await;
    for change in &changes[3..] {
        assert_eq!(hears_change(&mut socket).await, *change);
    }
    // Who comes from before a notification that is deleted meets its place all the same.
    let (mut socket, welcome) = ada.tunes_in(Some(0)).await;
    assert_eq!(welcome["recovered"], true);
    let first = socket.hears_notification().await;
    assert_eq!(first.seq, 1);
    assert!(first.read_at.is_some(), "as it is now");
    let NotificationChange::Deleted { id, .. } = changes[6] else {
        panic!("{changes:?}");
    };
    let gone = NotificationChange::Gone { seq: 2, id };
    assert_eq!(hears_change(&mut socket).await, gone);
    assert_eq!(hears_change(&mut socket).await, changes[0]);
}

#[tokio::test]
async fn changes_at_one_replica_are_told_at_the_other() {
    let looks = Engine::chosen() == Engine::Sqlite;
    let platform = Platform::with(|live| (live.sweep, live.sweep_ms) = (looks, 10));
    let other = platform.replica(|live| (live.sweep, live.sweep_ms) = (looks, 10));
    let here = platform.person(1);
    let there = Person {
        client: other.client().clone(),
        ..here.clone()
    };
    platform.enrols_in_many(&here, 2).await;
    let (mut socket, _) = there.tunes_in(None).await;
    for change in does_everything(&here).await {
        assert_eq!(hears_change(&mut socket).await, change);
    }
    drop(other);
}
