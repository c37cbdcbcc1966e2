//! The inbox: listed newest first, counted, read, and nobody else's.

use lyceum_contracts::notification::{Notification, UnreadCount};
use lyceum_contracts::page::Page;

use crate::platform::{Platform, announcement};

fn places(notifications: &[Notification]) -> Vec<i64> {
    notifications.iter().map(|it| it.seq).collect()
}

#[tokio::test]
async fn pages_follow_one_another_newest_first() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 5).await;
    assert_eq!(places(&ada.inbox().await), [5, 4, 3, 2, 1]);
    assert_eq!(places(&ada.page("?skip=1&limit=2").await.items), [4, 3]);

    let mut seen = Vec::new();
    let mut path = "/notifications?limit=2".to_owned();
    loop {
        let answer = ada.get(&path).await.expect(200);
        let page: Page<Notification> = answer.json();
        seen.extend(places(&page.items));
        let Some(cursor) = page.next_cursor else {
            break;
        };
        let link = answer.header("link").unwrap().to_owned();
        path = link.split(['<', '>']).nth(1).unwrap().to_owned();
        assert!(path.contains(&cursor), "{link}");
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn a_page_is_not_moved_by_what_arrives_meanwhile() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 3).await;
    let first = ada.page("?limit=2").await;
    platform.enrols(&ada, "Logic").await;
    let cursor = first.next_cursor.unwrap();
    let second = ada.page(&format!("?limit=2&cursor={cursor}")).await;
    assert_eq!(
        (places(&first.items), places(&second.items)),
        (vec![3, 2], vec![1])
    );
}

#[tokio::test]
async fn unread_and_read_ones_are_listed_apart_and_the_next_page_stays_with_them() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 4).await;
    let third = ada.inbox().await[1].id;
    ada.reads(third).await.expect(200);
    assert_eq!(places(&ada.page("?unread=true").await.items), [4, 2, 1]);
    assert_eq!(places(&ada.page("?unread=false").await.items), [3]);

    let answer = ada
        .get("/notifications?unread=true&limit=1")
        .await
        .expect(200);
    let link = answer.header("link").unwrap().to_owned();
    let next = link.split(['<', '>']).nth(1).unwrap();
    let page: Page<Notification> = ada.get(next).await.expect(200).json();
    assert_eq!(places(&page.items), [2], "{link}");
}

#[tokio::test]
async fn kinds_and_what_is_put_away_are_listed_apart() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols(&ada, "Logic").await;
    platform.happens(&[announcement(1, 1, "Maintenance")]).await;
    platform.enrols(&ada, "Sets").await;
    let put_away = ada.inbox().await.remove(0);
    ada.does("archive", put_away.id).await.expect(200);
    for (query, listed) in [
        ("", vec![2, 1]),
        ("?archived=false", vec![2, 1]),
        ("?archived=true", vec![3]),
        ("?type=enrolment.created", vec![1]),
        ("?type=announcement.posted", vec![2]),
        ("?type=enrolment.created&archived=true", vec![3]),
        ("?type=announcement.posted&archived=true", vec![]),
        ("?archived=true&unread=true", vec![]),
        ("?archived=true&unread=false", vec![3]),
        ("?unread=true&type=announcement.posted", vec![2]),
    ] {
        assert_eq!(places(&ada.page(query).await.items), listed, "{query}");
    }
}

#[tokio::test]
async fn a_cursor_is_told_from_those_of_other_lists_and_altered_ones() {
    let platform = Platform::start();
    let (ada, bob) = (platform.person(1), platform.person(2));
    platform.enrols_in_many(&ada, 3).await;
    platform.enrols_in_many(&bob, 3).await;
    let cursor = ada.page("?unread=true&limit=1").await.next_cursor.unwrap();
    let same = ada
        .page(&format!("?cursor={cursor}&limit=1&unread=true"))
        .await;
    assert_eq!(places(&same.items), [2]);
    let mut altered = cursor.clone().into_bytes();
    altered[3] ^= 1;
    let altered = String::from_utf8(altered).unwrap();
    for query in [
        format!("cursor={cursor}"),
        format!("unread=false&cursor={cursor}"),
        format!("unread=true&archived=true&cursor={cursor}"),
        format!("unread=true&type=enrolment.created&cursor={cursor}"),
        format!("unread=true&cursor={altered}"),
    ] {
        let answer = ada.get(&format!("/notifications?{query}")).await;
        let problem = answer.expect(400).problem();
        assert_eq!(problem.r#type, "/problems/invalid-cursor", "{query}");
    }
    // It names a place, and gives no rights: whoever sends it has their own notifications.
    let theirs = bob.page(&format!("?unread=true&cursor={cursor}")).await;
    assert_eq!(places(&theirs.items), [2, 1]);
    assert_eq!(theirs.items[0].id, bob.inbox().await[1].id);
}

#[tokio::test]
async fn more_than_99_are_counted_as_99_and_more() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 99).await;
    let count = |unread, capped| UnreadCount { unread, capped };
    assert_eq!(ada.count().await, count(99, false));
    platform.enrols_in_many(&ada, 2).await;
    assert_eq!(ada.count().await, count(99, true));
    let (_, sync) = ada.listens(None).await;
    assert_eq!(
        (&sync["unread"], &sync["capped"]),
        (&99.into(), &true.into())
    );
    let (_, welcome) = ada.tunes_in(None).await;
    assert_eq!(
        (&welcome["unread"], &welcome["capped"]),
        (&99.into(), &true.into())
    );
}

#[tokio::test]
async fn reading_twice_keeps_the_first_time() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 2).await;
    let [_, older] = &ada.inbox().await[..] else {
        panic!("two notifications");
    };
    let first: Notification = ada.reads(older.id).await.expect(200).json();
    assert!(first.read_at.unwrap() >= older.created_at);
    assert_eq!(
        Notification {
            read_at: None,
            ..first.clone()
        },
        *older
    );
    let second: Notification = ada.reads(older.id).await.expect(200).json();
    assert_eq!(second, first);
    assert_eq!(ada.unread().await, 1);
}

#[tokio::test]
async fn reading_all_leaves_none_and_touches_nobody_else() {
    let platform = Platform::start();
    let (ada, bob) = (platform.person(1), platform.person(2));
    platform.enrols_in_many(&ada, 3).await;
    platform.enrols(&bob, "Logic").await;
    let newest = ada.inbox().await[0].id;
    let read: Notification = ada.reads(newest).await.expect(200).json();
    ada.post("/notifications/read-all").await.expect(204);
    ada.post("/notifications/read-all").await.expect(204);
    assert_eq!((ada.unread().await, bob.unread().await), (0, 1));
    assert_eq!(ada.inbox().await[0], read, "what was read stays as it was");
}

#[tokio::test]
async fn a_notification_of_another_is_as_missing_as_one_that_never_was() {
    let platform = Platform::start();
    let (ada, eve) = (platform.person(1), platform.person(2));
    platform.enrols(&ada, "Logic").await;
    let id = ada.inbox().await[0].id;
    let mut theirs = eve.reads(id).await.expect(404).problem();
    let mut missing = eve
        .reads(999.try_into().unwrap())
        .await
        .expect(404)
        .problem();
    for problem in [&mut theirs, &mut missing] {
        problem.instance = None;
        problem.trace_id = None;
    }
    assert_eq!(theirs, missing);
    assert_eq!(ada.inbox().await[0].read_at, None);
}

#[tokio::test]
async fn the_overview_of_another_service_asks_for_the_count() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 2).await;
    for (user, unread) in [(1, 2), (77, 0)] {
        let path = format!("/internal/users/{user}/unread-count");
        let request = platform.app.client().get(&path);
        let answer = request.bearer(platform.app.token_of("user")).send().await;
        assert_eq!(
            answer.expect(200).json::<serde_json::Value>()["unread"],
            unread
        );
    }
}
