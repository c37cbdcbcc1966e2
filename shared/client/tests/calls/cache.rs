//! Answers that are kept, shared, and stand in for a peer that fails.

use std::time::Duration;

use lyceum_client::testing::{Act, Script};
use lyceum_client::{ClientError, CourseClient, Event, Freshness, Lookup, UpstreamSettings};
use lyceum_resilience::deadline::{Deadline, Instant};
use serde_json::json;
use tokio::time::advance;

use crate::ada;

const SECOND: Duration = Duration::from_secs(1);

fn enrolled(courses: u32) -> Act {
    Act::json(
        200,
        &json!({"enrolled": courses, "dropped": 0, "teaching": 0}),
    )
}

/// Answers are fresh for ten seconds and stand in for twenty more.
fn client(peer: &Script) -> CourseClient {
    let mut settings = UpstreamSettings {
        attempts: 1,
        ..UpstreamSettings::default()
    };
    settings.cache.fresh_ms = 10_000;
    settings.cache.stale_if_error_ms = 20_000;
    peer.upstream("course", &settings).unwrap().into()
}

fn lookups(peer: &Script) -> Vec<Lookup> {
    let lookups = |event| match event {
        Event::Cache { lookup } => Some(lookup),
        _ => None,
    };
    peer.events().into_iter().filter_map(lookups).collect()
}

#[tokio::test(start_paused = true)]
async fn a_fresh_answer_is_given_without_asking_and_tells_its_age() {
    let peer = Script::new([enrolled(1), enrolled(2)]);
    let courses = client(&peer);
    let first = courses.stats_of(ada()).await.unwrap();
    assert_eq!((first.value.enrolled, first.age), (1, Duration::ZERO));
    advance(9 * SECOND).await;
    let second = courses.stats_of(ada()).await.unwrap();
    assert_eq!((second.value.enrolled, second.age), (1, 9 * SECOND));
    assert!(!second.stale);
    advance(SECOND).await;
    assert_eq!(courses.stats_of(ada()).await.unwrap().value.enrolled, 2);
    assert_eq!(peer.sent().len(), 2);
    let told = [Lookup::Asked, Lookup::Fresh, Lookup::Asked];
    assert_eq!(lookups(&peer), told);
}

#[tokio::test(start_paused = true)]
async fn whoever_wants_it_anew_has_the_peer_asked_and_the_answer_kept() {
    let peer = Script::new([enrolled(1), enrolled(2), Act::status(500)]);
    let courses = client(&peer);
    let anew = courses.reading(Freshness::Anew);
    let first = courses.stats_of(ada()).await.unwrap();
    advance(SECOND).await;
    let second = anew.stats_of(ada()).await.unwrap();
    assert_eq!((first.value.enrolled, second.value.enrolled), (1, 2));
    assert_eq!((first.kept_since, second.kept_since), (None, None));
    advance(SECOND).await;
    let kept = courses.stats_of(ada()).await.unwrap();
    assert_eq!((kept.value.enrolled, kept.age), (2, SECOND));
    advance(SECOND).await;
    let stands_in = anew.stats_of(ada()).await.unwrap();
    assert!(stands_in.stale);
    assert_eq!(kept.kept_since, stands_in.kept_since);
    assert!(kept.kept_since.is_some(), "the same at every look");
    let told = [Lookup::Asked, Lookup::Asked, Lookup::Fresh, Lookup::Stale];
    assert_eq!(lookups(&peer), told);
}

#[tokio::test(start_paused = true)]
async fn without_the_setting_every_read_asks() {
    let peer = Script::new([enrolled(1), enrolled(2)]);
    let settings = UpstreamSettings::default();
    let courses = CourseClient::from(peer.upstream("course", &settings).unwrap());
    for expected in [1, 2] {
        let reading = courses.stats_of(ada()).await.unwrap();
        assert_eq!(
            (reading.value.enrolled, reading.age),
            (expected, Duration::ZERO)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_who_want_the_same_one_asks() {
    let peer = Script::new([enrolled(1).after(SECOND)]);
    let courses = client(&peer);
    let readers: Vec<_> = (0..100).map(|_| courses.stats_of(ada())).collect();
    for reading in futures_util::future::join_all(readers).await {
        assert_eq!(reading.unwrap().value.enrolled, 1);
    }
    assert_eq!(peer.sent().len(), 1);
    let shared = lookups(&peer);
    let shared = shared.iter().filter(|lookup| **lookup == Lookup::Shared);
    assert_eq!(shared.count(), 99);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_shared_by_those_who_waited_and_asked_for_anew_by_the_next() {
    let peer = Script::new([Act::status(500).after(SECOND), enrolled(1)]);
    let courses = client(&peer);
    let (one, other) = tokio::join!(courses.stats_of(ada()), courses.stats_of(ada()));
    assert_eq!(one.unwrap_err().refused_with(), Some(500));
    assert_eq!(other.unwrap_err().refused_with(), Some(500));
    assert_eq!(courses.stats_of(ada()).await.unwrap().value.enrolled, 1);
    assert_eq!(peer.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_asked_may_leave_and_those_who_wait_are_served() {
    let peer = Script::new([enrolled(1).after(SECOND)]);
    let courses = client(&peer);
    let impatient = tokio::time::timeout(SECOND / 2, courses.stats_of(ada()));
    let (impatient, patient) = tokio::join!(impatient, courses.stats_of(ada()));
    impatient.unwrap_err();
    assert_eq!(patient.unwrap().value.enrolled, 1);
    assert_eq!(peer.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_somebody_in_a_hurry_asks_again_with_his_own_time() {
    let peer = Script::new([enrolled(1).after(SECOND)]);
    let courses = client(&peer);
    let soon = Deadline::starting(Instant::now(), SECOND / 2);
    let hurried = Deadline::scope(soon, courses.stats_of(ada()));
    let (hurried, patient) = tokio::join!(hurried, courses.stats_of(ada()));
    let error = hurried.unwrap_err();
    assert!(
        matches!(error, ClientError::DeadlineExceeded { .. }),
        "{error}"
    );
    assert_eq!(patient.unwrap().value.enrolled, 1);
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_out_of_time_when_his_own_is_over() {
    let peer = Script::new([enrolled(1).after(SECOND)]);
    let courses = client(&peer);
    let soon = Deadline::starting(Instant::now(), SECOND / 2);
    let hurried = Deadline::scope(soon, courses.stats_of(ada()));
    let (patient, hurried) = tokio::join!(courses.stats_of(ada()), hurried);
    let error = hurried.unwrap_err();
    assert_eq!(error, ClientError::DeadlineExceeded { attempts: 0 });
    assert_eq!(patient.unwrap().value.enrolled, 1);
    assert_eq!(peer.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_stands_in_for_a_peer_that_fails_but_not_for_ever() {
    for outage in [
        Act::status(503),
        Act::lost(),
        Act::unreachable(),
        Act::hang(),
    ] {
        let peer = Script::new([enrolled(1), outage.clone()]);
        let courses = client(&peer);
        courses.stats_of(ada()).await.unwrap();
        advance(10 * SECOND).await;
        let reading = courses.stats_of(ada()).await.unwrap();
        assert!(reading.stale && reading.age >= 10 * SECOND, "{outage:?}");
        assert_eq!(reading.value.enrolled, 1);
        assert_eq!(lookups(&peer), [Lookup::Asked, Lookup::Stale]);
        advance(20 * SECOND).await;
        courses.stats_of(ada()).await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_stands_in_for_a_peer_that_rests() {
    let peer = Script::new([enrolled(1), Act::status(503)]);
    let courses = client(&peer);
    courses.stats_of(ada()).await.unwrap();
    advance(10 * SECOND).await;
    for _ in 0..10 {
        assert!(courses.stats_of(ada()).await.unwrap().stale);
    }
    assert_eq!(peer.sent().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_no_is_believed() {
    let peer = Script::new([enrolled(1), Act::status(404)]);
    let courses = client(&peer);
    courses.stats_of(ada()).await.unwrap();
    advance(10 * SECOND).await;
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert_eq!(error.refused_with(), Some(404));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_can_read_is_not_kept() {
    let peer = Script::new([Act::json(200, &json!([])), enrolled(1)]);
    let courses = client(&peer);
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert!(matches!(error, ClientError::Malformed(_)), "{error}");
    assert_eq!(courses.stats_of(ada()).await.unwrap().value.enrolled, 1);
}
