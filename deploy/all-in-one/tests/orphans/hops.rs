//! Through hops: who was granted time grants the next less, and whoever gives up stops them all.

use std::time::Duration;

use lyceum_contracts::header::DEADLINE_MS;
use lyceum_testing::database::Engine;
use lyceum_testing::peer::ScriptedPeer;

use crate::caller::{Ask, Caller, Leave};
use crate::lags::{CALLS, Lags};
use crate::scene::{self, Scene};

/// What `upstreams.<peer>.deadline_margin_ms` is by default.
const MARGIN_MS: u64 = 10;

async fn grants_less_than_it_was_granted(scene: Scene) {
    let granted_ms = 900;
    let granted = Duration::from_millis(granted_ms);
    let caller = Caller::asks(&scene.app, &scene.ask, Some(granted)).await;
    for request in scene.asks_its_peers(&caller.trace).await {
        let passed_on: u64 = request.header(DEADLINE_MS).unwrap().parse().unwrap();
        println!(
            "{} was granted {granted_ms} ms, and grants {passed_on} ms",
            scene.name
        );
        assert!(passed_on <= granted_ms - MARGIN_MS);
    }
}

#[tokio::test]
async fn each_hop_grants_the_next_less_than_it_was_granted() {
    grants_less_than_it_was_granted(scene::user().await).await;
    grants_less_than_it_was_granted(scene::course().await).await;
    grants_less_than_it_was_granted(scene::notification().await).await;
}

#[tokio::test]
async fn a_caller_of_user_who_leaves_stops_course_and_what_runs_in_its_database() {
    let course = scene::course().await;
    let looker = course.looker().await;
    if looker.engine == Engine::Sqlite {
        return; // Nobody has to wait to read a file.
    }
    let nobody = ScriptedPeer::start().url();
    let (user, id, token) = scene::user_with_ada(course.app.base_url().to_owned(), nobody).await;
    let ask = Ask {
        line: format!("GET /users/{id}/overview"),
        token,
        body: "",
    };
    let mut ended = Lags::of("two hops, caller gone: all three requests ended");
    let mut freed = Lags::of("two hops, caller gone: nothing waits at the server");
    let held = course.hold_database().await;
    for _ in 0..CALLS {
        let caller = Caller::asks(&user, &ask, None).await;
        looker.sees_waiting(2).await;
        let (gave_up, trace) = caller.leaves(Leave::Close);
        looker.sees_waiting(0).await;
        freed.add(gave_up.elapsed());
        let lag = gave_up.until_spans_of(&user, &trace, 3).await;
        ended.add(lag.expect("the database is held"));
    }
    held.rollback().await.unwrap();
    ended.assert_short();
    freed.assert_short();
}
