//! What a person does with notifications: each of them once, and with nobody else's.

use futures_util::future::join_all;
use lyceum_contracts::notification::Notification;
use serde_json::{Value, json};

use crate::platform::{Person, Platform};

/// Places of what waits to be read, of what is read, and of what is put away.
async fn states(person: &Person) -> [Vec<i64>; 3] {
    let mut states = [const { Vec::new() }; 3];
    let queries = ["?unread=true", "?unread=false", "?archived=true"];
    for (places, query) in states.iter_mut().zip(queries) {
        let page = person.page(query).await;
        places.extend(page.items.iter().map(|it| it.seq));
    }
    states
}

/// Three notifications of one person, oldest first.
async fn three(platform: &Platform, person: &Person) -> [Notification; 3] {
    platform.enrols_in_many(person, 3).await;
    let mut inbox = person.inbox().await;
    inbox.reverse();
    inbox.try_into().unwrap()
}

#[tokio::test]
async fn a_notification_waits_is_read_or_is_put_away() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let [one, two, _] = three(&platform, &ada).await;
    let act = async |action, id| {
        let answer = ada.does(action, id).await.expect(200);
        answer.json::<Notification>()
    };
    let read = act("read", one.id).await;
    assert!(read.read_at.unwrap() >= read.created_at && read.archived_at.is_none());
    assert_eq!(states(&ada).await, [vec![3, 2], vec![1], vec![]]);

    // Put away without a look it counts as read; what was read before keeps its time.
    let unseen = act("archive", two.id).await;
    assert!(unseen.archived_at.is_some() && unseen.read_at == unseen.archived_at);
    assert_eq!(act("archive", one.id).await.read_at, read.read_at);
    assert_eq!(states(&ada).await, [vec![3], vec![], vec![2, 1]]);
    assert_eq!(ada.unread().await, 1);

    let back = act("unarchive", one.id).await;
    assert_eq!((back.read_at, back.archived_at), (read.read_at, None));
    let unread = act("unread", two.id).await;
    assert_eq!((unread.read_at, unread.archived_at), (None, None));
    assert_eq!(states(&ada).await, [vec![3, 2], vec![1], vec![]]);
    assert_eq!(ada.unread().await, 2);
}

#[tokio::test]
async fn what_is_done_already_changes_nothing_and_is_told_to_nobody() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let [one, ..] = three(&platform, &ada).await;
    for action in ["unread", "unarchive"] {
        let same: Notification = ada.does(action, one.id).await.expect(200).json();
        assert_eq!(same, one);
    }
    for action in ["read", "archive"] {
        let mut answers: Vec<Notification> = Vec::new();
        for answer in join_all((0..8).map(|_| ada.does(action, one.id))).await {
            answers.push(answer.expect(200).json());
        }
        assert!(answers.iter().all(|it| *it == answers[0]), "{answers:?}");
    }
    ada.post("/notifications/read-all").await.expect(204);
    ada.post("/notifications/read-all").await.expect(204);
    // Three notifications; one was read, and put away; and all were read.
    let (_, sync) = ada.listens(None).await;
    assert_eq!(sync["head_seq"], 6);
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_can_be_deleted_again() {
    let platform = Platform::start();
    let (ada, eve) = (platform.person(1), platform.person(2));
    let [one, two, three] = three(&platform, &ada).await;
    ada.does("archive", three.id).await.expect(200);
    for id in [one.id, three.id] {
        let answers = join_all((0..4).map(|_| ada.deletes(id))).await;
        for answer in answers {
            answer.expect(204);
        }
        ada.deletes(id).await.expect(204);
        for action in ["read", "unread", "archive", "unarchive"] {
            ada.does(action, id).await.expect(404).problem();
        }
        eve.deletes(id).await.expect(404).problem();
    }
    assert_eq!(states(&ada).await, [vec![2], vec![], vec![]]);
    assert_eq!(ada.inbox().await[0].id, two.id);
    // Three notifications, one put away, two deleted.
    let (_, sync) = ada.listens(None).await;
    assert_eq!(sync["head_seq"], 6);
}

#[tokio::test]
async fn nobody_touches_what_is_another_persons_and_nobody_learns_that_it_is_there() {
    let platform = Platform::start();
    let (ada, eve) = (platform.person(1), platform.person(2));
    let [one, ..] = three(&platform, &ada).await;
    platform.enrols(&eve, "Sets").await;
    let missing = 999_999.try_into().unwrap();
    let said = async |id| {
        let mut said = Vec::new();
        for action in ["read", "unread", "archive", "unarchive"] {
            said.push(eve.does(action, id).await);
        }
        said.push(eve.deletes(id).await);
        said.into_iter()
            .map(|answer| {
                let mut problem = answer.expect(404).problem();
                (problem.instance, problem.trace_id) = (None, None);
                problem
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(said(one.id).await, said(missing).await);
    assert_eq!(states(&ada).await, [vec![3, 2, 1], vec![], vec![]]);
    eve.reads_up_to(1).await.expect(204);
    assert_eq!((ada.unread().await, eve.unread().await), (3, 0));
}

#[tokio::test]
async fn what_came_after_the_last_one_seen_stays_unread() {
    let platform = Platform::start();
    let ada = platform.person(1);
    platform.enrols_in_many(&ada, 3).await;
    let seen = ada.inbox().await[0].seq;
    platform.enrols_in_many(&ada, 2).await;
    ada.reads_up_to(seen).await.expect(204);
    assert_eq!(states(&ada).await, [vec![5, 4], vec![3, 2, 1], vec![]]);
    ada.reads_up_to(0).await.expect(204);
    assert_eq!(ada.unread().await, 2);
    ada.reads_up_to(Value::Null).await.expect(204);
    assert_eq!(ada.unread().await, 0);
}

#[tokio::test]
async fn a_place_that_is_none_is_named_as_the_fault() {
    let platform = Platform::start();
    let (ada, newcomer) = (platform.person(1), platform.person(2));
    platform.enrols_in_many(&ada, 2).await;
    for place in [
        json!(3),
        json!(i64::MAX),
        json!(-1),
        json!(1.5),
        json!("2"),
        json!([]),
    ] {
        let problem = ada.reads_up_to(place.clone()).await.expect(422).problem();
        assert_eq!(problem.errors[0].pointer, "#/up_to", "{place}");
    }
    let problem = newcomer.reads_up_to(1).await.expect(422).problem();
    assert_eq!(problem.errors[0].code, "out_of_range");
    newcomer.post("/notifications/read-all").await.expect(204);
    let post = || {
        ada.client
            .post("/notifications/read-all")
            .bearer(&ada.token)
    };
    let unknown = post().json(&json!({"user_id": 2})).send().await;
    assert_eq!(unknown.expect(422).problem().errors[0].pointer, "#/user_id");
    let broken = post().body("{\"up_to\":", "application/json").send().await;
    broken.expect(400).problem();
    let text = post().body("2", "text/plain").send().await;
    text.expect(415).problem();
    assert_eq!(ada.unread().await, 2);
    // A place taken in vain was given back.
    platform.enrols(&ada, "Logic").await;
    assert_eq!(ada.inbox().await[0].seq, 3);
}
