//! A real process that is killed again and again while it tells everybody something.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use lyceum_contracts::broadcast::Broadcast;
use lyceum_testing::PATIENCE;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::http::Client;
use lyceum_testing::identity::TestUsers;
use lyceum_testing::peer::{Answer, Gate};
use lyceum_testing::process::Process;
use serde_json::json;

use super::town::{after, all, inboxes, one_each};
use crate::platform::Person;

/// People of one page of the walk.
const PAGE: i64 = 200;
const PAGES: i64 = 4;

#[tokio::test]
async fn everybody_is_told_once_though_the_process_is_killed_again_and_again() {
    let (tokens, database) = (TestUsers::new(), TestDatabase::create());
    let users = tokens.serve();
    // Nobody from here on is told before the process was killed on its way to here.
    let open = Arc::new(AtomicI64::new(PAGE));
    let (until, never) = (Arc::clone(&open), Gate::closed());
    users.on("GET /internal/users").always_with(move |asked| {
        let (after, until) = (after(asked), until.load(Ordering::SeqCst));
        let last = (after + PAGE).min(until);
        let contact = |id| json!({"id": id, "email": "a@b.c", "full_name": "A", "role": "student"});
        let items: Vec<_> = (after + 1..=last).map(contact).collect();
        let next_after = Some(last).filter(|last| *last < PAGE * PAGES);
        let page = Answer::json(200, &json!({"items": items, "next_after": next_after}));
        if after == until {
            page.held_by(&never)
        } else {
            page
        }
    });
    let start = || {
        Process::service(env!("CARGO_BIN_EXE_lyceum-notification"))
            .setting("database.url", database.url())
            .setting("database.min_connections", 0)
            .setting("upstreams.user.base_url", users.url())
            .setting("mail.run", false)
            .setting("webhooks.run", false)
            .setting("broadcasts.poll_ms", 20)
            // What was claimed by a process that is gone is due again soon.
            .setting("broadcasts.lease_ms", 1_000)
            .start()
    };
    let admin_of = async |process: &Process| Person {
        id: 5_000,
        token: tokens.admin(5_000),
        client: Client::new(process.ports(PATIENCE).await.api_url()),
    };

    let mut random = fastrand::Rng::with_seed(0x000b_e115);
    let mut process = start();
    let mut admin = admin_of(&process).await;
    let path = admin.tells(&all()).await;
    for page in 1..=PAGES {
        open.store(PAGE * page, Ordering::SeqCst);
        let enough = u64::try_from(random.i64(PAGE * (page - 1) + 1..=PAGE * page)).unwrap();
        let far = |broadcast: &Broadcast| broadcast.progress.told >= enough;
        admin.finds(&path, "on its way", far).await;
        process.kill9().await;
        process = start();
        admin = admin_of(&process).await;
    }
    let done = admin.finds_it_done(&path).await;
    let everybody: Vec<i64> = (1..=PAGE * PAGES).collect();
    assert_eq!(
        done.progress.told,
        PAGE.unsigned_abs() * PAGES.unsigned_abs()
    );
    assert_eq!(inboxes(&database).await, one_each(&everybody));
    let said = serde_json::to_string(&process.log()).unwrap();
    for text in ["Maintenance", "On Sunday"] {
        assert!(!said.contains(text), "{text} in {said}");
    }
}
