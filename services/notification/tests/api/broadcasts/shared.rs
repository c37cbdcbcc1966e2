//! Two replicas, and a claim that has come to its end.

use lyceum_testing::peer::{Answer, Gate};
use serde_json::json;

use super::town::{Town, all, one_each, users};

/// Another replica, which tells broadcasts too.
fn replica_of(town: &Town) -> lyceum_testing::TestApp {
    let courses = town.courses.url();
    town.replica_with_all(|settings| {
        settings.service.upstreams.course.base_url = courses;
        settings.service.broadcasts.run = true;
        settings.service.broadcasts.poll_ms = 5;
        settings.service.broadcasts.at_once = 1;
    })
}

#[tokio::test]
async fn two_replicas_at_once_tell_everybody_each_broadcast_once() {
    const BROADCASTS: i64 = 6;
    let people: Vec<i64> = (1..=40).collect();
    let town = Town::with(&people, |settings| settings.at_once = 1);
    let other = replica_of(&town);
    let admin = town.admin();
    let mut paths = Vec::new();
    for _ in 0..BROADCASTS {
        paths.push(admin.tells(&users(&people)).await);
    }
    for path in &paths {
        let done = admin.finds_it_done(path).await;
        assert_eq!(done.progress.told, 40);
    }
    let each = people.iter().map(|id| (*id, BROADCASTS)).collect();
    assert_eq!(town.inboxes().await, each);
    drop(other);
}

#[tokio::test]
async fn whoever_is_late_with_a_step_finds_the_broadcast_somebody_elses_and_tells_nobody() {
    let people: Vec<i64> = (1..=20).collect();
    let town = Town::with(&people, |settings| settings.lease_ms = 50);
    // Whoever asks first waits for the answer until the lease is long over.
    let gate = Gate::closed();
    let contact =
        |id: &i64| json!({"id": id, "email": "a@b.c", "full_name": "A", "role": "student"});
    let items: Vec<_> = people.iter().map(contact).collect();
    let page = Answer::json(200, &json!({"items": items, "next_after": null}));
    town.users
        .on("GET /internal/users")
        .then(page.clone().held_by(&gate))
        .always(page);
    let admin = town.admin();
    let path = admin.tells(&all()).await;
    let other = replica_of(&town);
    admin.finds_it_done(&path).await;
    gate.open();
    let next = admin.tells(&users(&[21])).await;
    admin.finds_it_done(&next).await;
    assert_eq!(town.inboxes().await, one_each(&people));
    drop(other);
}
