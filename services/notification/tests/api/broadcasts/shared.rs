//! Two replicas, and a claim that has come to its end.

use std::sync::atomic::{AtomicBool, Ordering};

use lyceum_testing::eventually;
use lyceum_testing::peer::{Answer, Gate};
use serde_json::json;

use super::town::{Town, after, all, one_each, users};

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
    let people: Vec<i64> = (1..=300).collect();
    let town = Town::with(&people, |settings| settings.lease_ms = 1_000);
    // Whoever asks first has the answer when the lease is long over and another is in the middle.
    let (late, middle) = (Gate::closed(), Gate::closed());
    let (held_late, held_middle) = (late.clone(), middle.clone());
    let asked = AtomicBool::new(false);
    town.users
        .on("GET /internal/users")
        .always_with(move |ask| {
            let after = after(ask);
            let contact =
                |id| json!({"id": id, "email": "a@b.c", "full_name": "A", "role": "student"});
            let last = if after < 200 { 200 } else { 300 };
            let items: Vec<_> = (after + 1..=last).map(contact).collect();
            let next_after = Some(last).filter(|last| *last < 300);
            let page = Answer::json(200, &json!({"items": items, "next_after": next_after}));
            if after == 200 {
                page.held_by(&held_middle)
            } else if asked.swap(true, Ordering::SeqCst) {
                page
            } else {
                page.held_by(&held_late)
            }
        });
    let admin = town.admin();
    let path = admin.tells(&all()).await;
    let other = replica_of(&town);
    admin
        .finds(&path, "in the middle", |broadcast| {
            broadcast.progress.told == 200
        })
        .await;
    late.open();
    eventually("found to be somebody else's", async || {
        let lines = town.app.captured().lines();
        let lost = lines.iter().any(|line| line.contains("broadcast.lost"));
        lost.then_some(())
    })
    .await;
    middle.open();
    admin.finds_it_done(&path).await;
    assert_eq!(town.inboxes().await, one_each(&people));
    drop(other);
}
