//! In the middle of a write to a database that somebody else holds.

use lyceum_testing::database::Engine;

use crate::caller::{Caller, Leave};
use crate::lags::{CALLS, Lags};
use crate::scene::{self, Scene};

/// How a caller gives up.
#[derive(Debug, Clone, Copy)]
enum End {
    Leaves,
    TimeUp,
}

async fn ends_with_its_caller(scene: Scene, end: End) {
    let looker = scene.looker().await;
    let why = match end {
        End::Leaves => "caller gone",
        End::TimeUp => "time up",
    };
    let on = format!("{} on {:?}, {why}", scene.name, looker.engine);
    let mut ended = Lags::of(format!("{on}: the request ended"));
    let mut freed = Lags::of(format!("{on}: nothing waits at the server"));
    looker.sees_waiting(0).await;
    let held = scene.hold_database().await;
    // One writer of a process waits for the file itself, in a thread nobody can interrupt; all
    // others wait for that one.
    let ahead = match looker.engine {
        Engine::Sqlite => {
            let ahead = Caller::asks(&scene.app, &scene.write, None).await;
            scene::a_writer_waits_for_the_file().await;
            Some(ahead)
        }
        Engine::Postgres => None,
    };
    let before = i64::from(ahead.is_some());
    for _ in 0..CALLS {
        let at_rest = async || looker.sees_waiting(before).await;
        let at_work = async || looker.sees_waiting(before + 1).await;
        let (gave_up, trace) = match end {
            End::Leaves => {
                at_rest().await;
                let caller = Caller::asks(&scene.app, &scene.write, None).await;
                at_work().await;
                caller.leaves(Leave::Close)
            }
            End::TimeUp => {
                let (app, write) = (&scene.app, &scene.write);
                let granted = Caller::grants_enough(app, write, at_rest, async |_| at_work().await);
                let (caller, gave_up) = granted.await;
                let trace = caller.trace.clone();
                assert_eq!(caller.status().await, 408);
                (gave_up, trace)
            }
        };
        if looker.engine == Engine::Postgres {
            looker.sees_waiting(0).await;
            freed.add(gave_up.elapsed());
        }
        let lag = gave_up.until_spans_of(&scene.app, &trace, 1).await;
        ended.add(lag.expect("the database is held"));
    }
    held.rollback().await.unwrap();
    if let Some(ahead) = ahead {
        assert!(
            ahead.status().await < 300,
            "it was not in the way of others"
        );
    }
    ended.assert_short();
    if looker.engine == Engine::Postgres {
        freed.assert_short();
    }
}

#[tokio::test]
async fn user_stops_waiting_for_its_database_when_its_caller_leaves() {
    ends_with_its_caller(scene::user().await, End::Leaves).await;
}

#[tokio::test]
async fn course_stops_waiting_for_its_database_when_its_caller_leaves() {
    ends_with_its_caller(scene::course().await, End::Leaves).await;
}

#[tokio::test]
async fn notification_stops_waiting_for_its_database_when_its_caller_leaves() {
    ends_with_its_caller(scene::notification().await, End::Leaves).await;
}

#[tokio::test]
async fn user_stops_waiting_for_its_database_when_the_time_granted_is_up() {
    ends_with_its_caller(scene::user().await, End::TimeUp).await;
}

#[tokio::test]
async fn course_stops_waiting_for_its_database_when_the_time_granted_is_up() {
    ends_with_its_caller(scene::course().await, End::TimeUp).await;
}

#[tokio::test]
async fn notification_stops_waiting_for_its_database_when_the_time_granted_is_up() {
    ends_with_its_caller(scene::notification().await, End::TimeUp).await;
}
