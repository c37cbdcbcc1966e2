//! Who is told what.

use lyceum_contracts::broadcast::{AudienceKind, Broadcast, BroadcastProgress};
use lyceum_contracts::page::Page;
use serde_json::{Value, json};

use super::town::{COURSE, Town, all, course, news, one_each, users};
use crate::platform::{Person, event, next_notification};

/// So many that they stand on three pages, with gaps between their ids.
fn many() -> Vec<i64> {
    (1..=450).map(|number| number * 3).collect()
}

fn told(people: u64) -> BroadcastProgress {
    BroadcastProgress {
        told: people,
        skipped: 0,
        total: Some(people),
    }
}

#[tokio::test]
async fn everybody_finds_it_in_the_inbox_and_on_open_streams_once() {
    let people = many();
    let town = Town::of(&people);
    let (ada, bob) = (town.person(3), town.person(1_350));
    let (mut stream, _) = ada.listens(None).await;
    let (mut socket, _) = bob.tunes_in(None).await;
    let admin = town.admin();
    let path = admin.tells(&all()).await;
    let heard = next_notification(&mut stream).await;
    assert_eq!((heard.kind.as_str(), heard.seq), ("broadcast.posted", 1));
    assert_eq!(
        (heard.title.as_str(), heard.body.as_str()),
        ("Maintenance", "On Sunday.\nAll day.")
    );
    assert_eq!(socket.hears_notification().await.title, "Maintenance");

    let done = admin.finds_it_done(&path).await;
    assert_eq!(done.progress, told(450));
    assert_eq!((done.audience, done.error), (AudienceKind::All, None));
    assert_eq!(town.inboxes().await, one_each(&people));
    let found = ada.page("?type=broadcast.posted").await.items;
    assert_eq!(found, [heard]);
    assert_eq!(found[0].data, json!({"broadcast_id": done.id}));
}

#[tokio::test]
async fn the_people_of_a_course_are_told_and_nobody_else() {
    let town = Town::of(&many());
    super::town::knows(&town.users, &(1..=2_000).collect::<Vec<_>>());
    let admin = town.admin();
    let path = admin.tells(&course(COURSE)).await;
    let done = admin.finds_it_done(&path).await;
    assert_eq!(done.progress, told(450));
    assert_eq!(done.course_id.map(i64::from), Some(COURSE));
    assert_eq!(town.inboxes().await, one_each(&many()));
}

#[tokio::test]
async fn of_listed_people_those_without_an_account_are_left_out_and_counted() {
    let people: Vec<i64> = (1..=300).collect();
    let town = Town::of(&people);
    // Of this one the user service has not heard yet that the account is gone.
    let gone = event("user.deleted", &json!({ "user_id": 250 }));
    town.happens(&[gone]).await;
    let admin = town.admin();
    let listed: Vec<i64> = (201..=600).rev().chain([201, 250, 600]).collect();
    let path = admin.tells(&users(&listed)).await;
    let asked = admin.broadcast(&path).await;
    assert_eq!(asked.progress.total, Some(400), "each counts once");
    let done = admin.finds_it_done(&path).await;
    let progress = BroadcastProgress {
        told: 99,
        skipped: 301,
        total: Some(400),
    };
    assert_eq!(done.progress, progress);
    let mut told: Vec<i64> = (201..=300).collect();
    told.retain(|id| *id != 250);
    assert_eq!(town.inboxes().await, one_each(&told));
}

#[tokio::test]
async fn a_broadcast_to_nobody_is_done_at_once() {
    let town = Town::of(&[]);
    let admin = town.admin();
    for audience in [all(), course(COURSE)] {
        let path = admin.tells(&audience).await;
        assert_eq!(admin.finds_it_done(&path).await.progress, told(0));
    }
    assert!(town.inboxes().await.is_empty());
}

#[tokio::test]
async fn a_link_is_shown_and_a_later_one_of_the_same_key_takes_the_place_of_the_first() {
    let town = Town::of(&[1, 2]);
    let admin = town.admin();
    let (ada, bob) = (town.person(1), town.person(2));
    let with = |body: &str| {
        let mut news = news(&all());
        news["body"] = body.into();
        news["link"] = "/courses/7".into();
        news["collapse_key"] = "maintenance".into();
        news
    };
    let first = posts(&admin, &with("On Sunday.")).await;
    bob.reads(bob.inbox().await[0].id).await.expect(200);
    let second = posts(&admin, &with("On Monday.")).await;
    assert_eq!(second.collapse_key.as_deref(), Some("maintenance"));
    let bodies = async |person: &Person| -> Vec<String> {
        let inbox = person.inbox().await.into_iter();
        inbox.map(|notification| notification.body).collect()
    };
    assert_eq!(bodies(&ada).await, ["On Monday."]);
    assert_eq!(bodies(&bob).await, ["On Monday.", "On Sunday."]);
    let data = json!({"broadcast_id": second.id, "link": "/courses/7"});
    assert_eq!(ada.inbox().await[0].data, data);

    let page: Page<Broadcast> = admin.get("/broadcasts?limit=1").await.expect(200).json();
    assert_eq!(page.items, [second]);
    let next = format!("/broadcasts?limit=1&cursor={}", page.next_cursor.unwrap());
    let page: Page<Broadcast> = admin.get(&next).await.expect(200).json();
    assert_eq!((page.items, page.next_cursor), (vec![first], None));
}

/// Asks for a broadcast and waits for its end.
async fn posts(admin: &Person, body: &Value) -> Broadcast {
    let answer = admin.broadcasts(body).await.expect(202);
    admin
        .finds_it_done(answer.header("location").unwrap())
        .await
}

#[tokio::test]
async fn a_broadcast_forgets_who_asked_for_it_with_the_account() {
    let town = Town::of(&[1]);
    let admin = town.admin();
    let path = admin.tells(&all()).await;
    let done = admin.finds_it_done(&path).await;
    assert_eq!(done.author_id.map(i64::from), Some(admin.id));
    let gone = event("user.deleted", &json!({ "user_id": admin.id }));
    town.happens(&[gone]).await;
    assert_eq!(admin.broadcast(&path).await.author_id, None);
}
