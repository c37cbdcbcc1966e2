//! In the middle of a call to a peer that never answers.

use crate::caller::{Caller, Leave};
use crate::lags::{CALLS, Lags};
use crate::scene::{self, Scene};

async fn ends_with_its_caller(scene: Scene) {
    let name = scene.name;
    let mut hung_up = Lags::of(format!("{name}, caller gone: the peer's connection closed"));
    let mut ended = Lags::of(format!("{name}, caller gone: the request ended"));
    for call in 0..CALLS {
        let caller = Caller::asks(&scene.app, &scene.ask, None).await;
        scene.asks_its_peers(&caller.trace).await;
        let how = if call % 2 == 0 {
            Leave::Close
        } else {
            Leave::Reset
        };
        let (gave_up, trace) = caller.leaves(how);
        scene.hangs_up(&trace).await;
        hung_up.add(gave_up.elapsed());
        let lag = gave_up.until_spans_of(&scene.app, &trace, 1).await;
        ended.add(lag.expect("it was at work when its caller left"));
    }
    hung_up.assert_short();
    ended.assert_short();
}

async fn ends_with_the_time_granted(scene: Scene) {
    let name = scene.name;
    let mut hung_up = Lags::of(format!("{name}, time up: the peer's connection closed"));
    let mut ended = Lags::of(format!("{name}, time up: the request ended"));
    for _ in 0..CALLS {
        let (caller, gave_up) = Caller::grants_enough(
            &scene.app,
            &scene.ask,
            async || (),
            async |trace| drop(scene.asks_its_peers(trace).await),
        )
        .await;
        scene.hangs_up(&caller.trace).await;
        hung_up.add(gave_up.elapsed());
        // The calls keep a margin back of what was granted, so it may have ended before.
        let lag = gave_up.until_spans_of(&scene.app, &caller.trace, 1).await;
        ended.add(lag.unwrap_or_default());
    }
    hung_up.assert_short();
    ended.assert_short();
}

#[tokio::test]
async fn user_stops_asking_course_and_notification_when_its_caller_leaves() {
    ends_with_its_caller(scene::user().await).await;
}

#[tokio::test]
async fn course_stops_asking_user_when_its_caller_leaves() {
    ends_with_its_caller(scene::course().await).await;
}

#[tokio::test]
async fn notification_stops_asking_user_when_its_caller_leaves() {
    ends_with_its_caller(scene::notification().await).await;
}

#[tokio::test]
async fn user_stops_asking_course_and_notification_when_the_time_granted_is_up() {
    ends_with_the_time_granted(scene::user().await).await;
}

#[tokio::test]
async fn course_stops_asking_user_when_the_time_granted_is_up() {
    ends_with_the_time_granted(scene::course().await).await;
}

#[tokio::test]
async fn notification_stops_asking_user_when_the_time_granted_is_up() {
    ends_with_the_time_granted(scene::notification().await).await;
}
