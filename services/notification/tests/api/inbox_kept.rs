//! What replaces what, what is over, and what is told of both to those who come late.

use lyceum_testing::PATIENCE;
use lyceum_testing::http::SseStream;
use sea_orm::ConnectionTrait;
use serde_json::Value;
use tokio::time::timeout;

use crate::platform::{Platform, announcement, data};

impl Platform {
    /// What else becomes of the rows as time goes by.
    async fn ages(&self, statement: &str) {
        let database = self.app.database().connect().await;
        database.execute_unprepared(statement).await.unwrap();
    }
}

/// The next places of a stream: what each tells, and of which notification.
async fn next_told(stream: &mut SseStream, count: usize) -> Vec<(i64, String, i64)> {
    let mut told = Vec::new();
    for _ in 0..count {
        let message = stream.next_event(PATIENCE).await;
        let data = data(&message);
        let number = |name: &str| data[name].as_i64().unwrap();
        let word = data["change"].as_str().or(data["title"].as_str());
        told.push((number("seq"), word.unwrap().to_owned(), number("id")));
        assert_eq!(message.id, Some(number("seq").to_string()));
    }
    told
}

fn line(seq: i64, word: &str, id: i64) -> (i64, String, i64) {
    (seq, word.to_owned(), id)
}

#[tokio::test]
async fn a_newer_version_replaces_what_waits_to_be_read_and_every_place_is_told_once() {
    let platform = Platform::start();
    let (ada, bob) = (platform.person(1), platform.person(2));
    let (mut stream, _) = ada.listens(None).await;
    let told = [
        announcement(7, 1, "On Saturday"),
        announcement(8, 1, "Welcome"),
        announcement(7, 2, "On Saturday"),
        announcement(7, 1, "On Sunday"),
    ];
    platform.happens(&told).await;
    let inbox = ada.inbox().await;
    let [sunday, welcome] = &inbox[..] else {
        panic!("two notifications: {inbox:?}");
    };
    assert_eq!((sunday.title.as_str(), sunday.seq), ("On Sunday", 4));
    assert_eq!((ada.unread().await, bob.unread().await), (2, 1));
    let live = next_told(&mut stream, 4).await;
    let saturday = live[0].2;
    let (sunday, welcome) = (sunday.id.get(), welcome.id.get());
    assert_eq!(
        live,
        [
            line(1, "On Saturday", saturday),
            line(2, "Welcome", welcome),
            line(3, "deleted", saturday),
            line(4, "On Sunday", sunday),
        ]
    );
    // Who comes late is not told the old version as if it were new, and misses no place.
    let (mut late, sync) = ada.listens(Some("0")).await;
    assert_eq!(
        (&sync["recovered"], &sync["unread"]),
        (&true.into(), &2.into())
    );
    assert_eq!(
        next_told(&mut late, 4).await,
        [
            line(1, "gone", saturday),
            line(2, "Welcome", welcome),
            line(3, "deleted", saturday),
            line(4, "On Sunday", sunday),
        ]
    );
    // To read a version that was replaced reads nothing.
    let replaced = saturday.try_into().unwrap();
    ada.reads(replaced).await.expect(404).problem();
    assert_eq!(ada.unread().await, 2);
}

#[tokio::test]
async fn what_was_read_or_put_away_is_not_replaced() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let versions = ["one", "two", "three", "four"];
    for (title, action) in versions
        .into_iter()
        .zip(["read", "archive", "unread", "unread"])
    {
        platform.happens(&[announcement(7, 1, title)]).await;
        let newest = ada.inbox().await[0].id;
        ada.does(action, newest).await.expect(200);
    }
    let titles = async |query| {
        let items = ada.page(query).await.items;
        items.into_iter().map(|it| it.title).collect::<Vec<_>>()
    };
    assert_eq!(titles("").await, ["four", "one"]);
    assert_eq!(titles("?archived=true").await, ["two"]);
    // Marked as unread again, an old version waits as the new one does.
    let oldest = ada.inbox().await[1].id;
    ada.does("unread", oldest).await.expect(200);
    assert_eq!(ada.unread().await, 2);
    platform.happens(&[announcement(7, 1, "five")]).await;
    assert_eq!(titles("").await, ["five"]);
}

#[tokio::test]
async fn nobody_is_shown_what_has_expired() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.happens(&[announcement(7, 1, "Today")]).await;
    platform.enrols(&ada, "Logic").await;
    let today = ada.inbox().await.remove(1);
    assert!(today.expires_at.unwrap() > today.created_at);
    platform
        .ages("UPDATE notifications SET expires_at = created_at WHERE seq = 1")
        .await;
    let listed: Vec<i64> = ada.inbox().await.iter().map(|it| it.seq).collect();
    assert_eq!((listed, ada.unread().await), (vec![2], 1));
    assert_eq!(ada.page("?archived=true").await.items, []);
    for action in ["read", "unread", "archive", "unarchive"] {
        ada.does(action, today.id).await.expect(404).problem();
    }
    ada.deletes(today.id).await.expect(404).problem();
    let (mut stream, sync) = ada.listens(Some("0")).await;
    assert_eq!(
        (&sync["recovered"], &sync["unread"]),
        (&true.into(), &1.into())
    );
    let told = next_told(&mut stream, 2).await;
    assert_eq!(told[0], line(1, "gone", today.id.get()));
    assert_eq!(told[1].1, "You are enrolled in Logic");
}

#[tokio::test]
async fn a_client_from_before_what_is_kept_begins_anew() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 3).await;
    let second = ada.inbox().await[1].id;
    ada.reads(second).await.expect(200);
    platform
        .ages("UPDATE notifications SET read_at = '2020-01-02 03:04:05+00:00' WHERE seq = 2")
        .await;
    // A service that starts looks for what is over.
    let other = platform.replica(|_| {});
    let pruned = timeout(PATIENCE, async { while ada.inbox().await.len() > 2 {} });
    pruned.await.expect("what is over is deleted");
    for (place, recovered) in [("0", false), ("1", false), ("2", true), ("4", true)] {
        let (_, sync) = ada.listens(Some(place)).await;
        assert_eq!(sync["recovered"], Value::Bool(recovered), "{place}");
        assert_eq!((&sync["head_seq"], &sync["unread"]), (&4.into(), &2.into()));
    }
    let (mut stream, _) = ada.listens(Some("2")).await;
    let told = next_told(&mut stream, 2).await;
    assert_eq!(told[1], line(4, "read", second.get()));
    let (mut stream, _) = ada.listens(Some("1")).await;
    platform.enrols(&ada, "Logic").await;
    assert_eq!(next_told(&mut stream, 1).await[0].0, 5, "from the head on");
    drop(other);
}

#[tokio::test]
async fn nothing_of_what_somebody_did_stays_when_the_account_is_deleted() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 2).await;
    let [newest, oldest] = &ada.inbox().await[..] else {
        panic!("two notifications");
    };
    ada.reads(newest.id).await.expect(200);
    let deletion = crate::platform::event("user.deleted", &serde_json::json!({"user_id": 1}));
    platform.happens(&[deletion]).await;
    for id in [newest.id, oldest.id] {
        ada.reads(id).await.expect(404).problem();
        ada.deletes(id).await.expect(404).problem();
    }
    ada.post("/notifications/read-all").await.expect(204);
    // What a client of theirs had seen leads nowhere.
    let (_, sync) = ada.listens(Some("1")).await;
    assert_eq!(
        (&sync["recovered"], &sync["unread"]),
        (&false.into(), &0.into())
    );
}
