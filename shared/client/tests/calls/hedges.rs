//! Asking a second time because the first answer is late.

use std::time::Duration;

use lyceum_client::testing::{Act, Script};
use lyceum_client::{ClientError, CourseClient, Event, UpstreamSettings};
use lyceum_resilience::deadline::Instant;
use serde_json::json;

use crate::ada;

const MILLI: Duration = Duration::from_millis(1);

fn answered(after_ms: u32) -> Act {
    let body = json!({"enrolled": after_ms, "dropped": 0, "teaching": 0});
    Act::json(200, &body).after(after_ms * MILLI)
}

/// A client that has seen a hundred answers of ten milliseconds; after them come `acts`.
async fn warm(acts: impl IntoIterator<Item = Act>, budget_percent: u8) -> (Script, CourseClient) {
    let known = std::iter::repeat_n(answered(10), 100);
    let peer = Script::new(known.chain(acts));
    let mut settings = UpstreamSettings::default();
    settings.hedge.max_extra_percent = 2;
    settings.budget.percent = budget_percent;
    settings.budget.floor_per_second = 0;
    let courses = CourseClient::from(peer.upstream("course", &settings).unwrap());
    for _ in 0..100 {
        courses.stats_of(ada()).await.unwrap();
        tokio::time::advance(10 * MILLI).await;
    }
    assert_eq!(peer.sent().len(), 100, "nothing usual is asked twice");
    (peer, courses)
}

fn hedged(peer: &Script) -> Vec<bool> {
    let hedged = |event| match event {
        Event::Hedged { second_won } => Some(second_won),
        _ => None,
    };
    peer.events().into_iter().filter_map(hedged).collect()
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_asked_for_again_and_the_first_to_come_is_taken() {
    let (peer, courses) = warm([answered(1_000), answered(10)], 10).await;
    let began = Instant::now();
    let answer = courses.stats_of(ada()).await.unwrap();
    assert_eq!(answer.value.enrolled, 10);
    assert!(began.elapsed() < 50 * MILLI, "{:?}", began.elapsed());
    assert_eq!(hedged(&peer), [true]);
    let sent = peer.sent();
    assert_eq!(sent.last().unwrap().header("x-attempt"), "2");
}

#[tokio::test(start_paused = true)]
async fn the_first_may_still_win() {
    let (peer, courses) = warm([answered(40), answered(1_000)], 10).await;
    assert_eq!(courses.stats_of(ada()).await.unwrap().value.enrolled, 40);
    assert_eq!(hedged(&peer), [false]);
}

#[tokio::test(start_paused = true)]
async fn without_a_budget_a_late_answer_is_waited_for() {
    let (peer, courses) = warm([answered(1_000), answered(10)], 0).await;
    assert_eq!(courses.stats_of(ada()).await.unwrap().value.enrolled, 1_000);
    assert_eq!((peer.sent().len(), hedged(&peer).len()), (101, 0));
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_leaves_it_to_the_other() {
    let late_failure = Act::status(500).after(40 * MILLI);
    for acts in [
        [late_failure.clone(), answered(100)],
        [answered(100), late_failure],
    ] {
        let (_, courses) = warm(acts, 10).await;
        assert_eq!(courses.stats_of(ada()).await.unwrap().value.enrolled, 100);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_stands_ends_both() {
    let (peer, courses) = warm([answered(1_000), Act::status(404)], 10).await;
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert_eq!(error.refused_with(), Some(404));
    assert_eq!(peer.sent().len(), 102);
}

#[tokio::test(start_paused = true)]
async fn when_both_fail_it_is_told_what_the_peer_may_know_of() {
    for acts in [
        [Act::lost().after(40 * MILLI), Act::unreachable()],
        [Act::unreachable().after(40 * MILLI), Act::lost()],
    ] {
        let (peer, courses) = warm(acts, 10).await;
        let error = courses.stats_of(ada()).await.unwrap_err();
        assert_eq!(error, ClientError::Unreachable { sent: true });
        assert_eq!(peer.sent().len(), 102);
    }
}

#[tokio::test(start_paused = true)]
async fn two_that_hang_end_with_the_attempt_s_time() {
    let (peer, courses) = warm([Act::hang()], 10).await;
    let began = Instant::now();
    assert_eq!(
        courses.stats_of(ada()).await.unwrap_err(),
        ClientError::Timeout
    );
    assert!(began.elapsed() < Duration::from_millis(2_100));
    assert_eq!(peer.sent().len(), 102);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_happen_twice_is_never_asked_twice() {
    let known = std::iter::repeat_n(answered(10), 100);
    let peer = Script::new(known.chain([answered(1_000)]));
    let mut settings = UpstreamSettings::default();
    settings.hedge.max_extra_percent = 2;
    let upstream = peer.upstream("course", &settings).unwrap();
    for _ in 0..101 {
        let call = upstream.post("course.test", "/test", &json!({}));
        call.json::<serde_json::Value>().await.unwrap();
    }
    assert_eq!(peer.sent().len(), 101);
}
