//! Which calls go out again, and which never do.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue};
use lyceum_client::testing::{Act, Script};
use lyceum_client::{ClientError, Event};
use lyceum_resilience::breaker::State;
use serde_json::json;

use super::{get, keyed_post, post, upstream};

const KEY: &str = "idempotency-key";

fn good() -> Act {
    Act::json(200, &json!({}))
}

fn at_once(status: u16) -> Act {
    let header: HeaderName = RETRY_AFTER;
    Act::status(status).with(header, HeaderValue::from_static("0"))
}

/// Every failure after which the peer may have done what it was asked.
fn ambiguous() -> Vec<Act> {
    let late = Duration::from_secs(3);
    let mut acts = vec![Act::lost(), Act::hang(), good().after(late)];
    acts.extend([500, 502, 503, 504, 507, 599].map(Act::status));
    acts.extend([429, 503].map(at_once));
    acts
}

#[tokio::test(start_paused = true)]
async fn a_failing_get_goes_out_twice_within_25_ms_and_a_failing_post_once() {
    let peer = Script::new([Act::status(500)]);
    let upstream = upstream(&peer, |_| {});
    let mut gaps = Vec::new();
    for _ in 0..100 {
        let before = peer.sent().len();
        get(&upstream).await.unwrap_err();
        let [first, second] = &peer.sent()[before..] else {
            panic!("{:?}", peer.sent().len() - before)
        };
        gaps.push(second.at - first.at);
    }
    // Tokio's timer ticks in milliseconds.
    let (shortest, longest) = (gaps.iter().min().unwrap(), gaps.iter().max().unwrap());
    assert!(*longest <= Duration::from_millis(26), "{longest:?}");
    assert!(*longest > Duration::from_millis(20), "{longest:?}");
    assert!(*shortest < Duration::from_millis(5), "{shortest:?}");

    let before = peer.sent().len();
    post(&upstream).await.unwrap_err();
    assert_eq!(peer.sent().len() - before, 1);
}

#[tokio::test(start_paused = true)]
async fn the_wait_before_a_repeat_is_told_and_is_of_the_monotonic_clock() {
    let peer = Script::new([Act::status(500)]);
    let upstream = upstream(&peer, |settings| {
        settings.attempts = 10;
        settings.budget.floor_per_second = 1_000;
        settings.total_timeout_ms = 60_000;
        settings.backoff.base_ms = 1_000;
        settings.backoff.cap_ms = 4_000;
    });
    let began = std::time::Instant::now();
    get(&upstream).await.unwrap_err();
    let waits: Vec<_> = peer
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Repeated { wait, .. } => Some(wait),
            _ => None,
        })
        .collect();
    let sent = peer.sent();
    let gaps = sent.windows(2).map(|pair| pair[1].at - pair[0].at);
    assert_eq!(waits.len(), 9);
    for (gap, wait) in gaps.zip(&waits) {
        assert!(gap >= *wait && gap <= *wait + Duration::from_millis(1));
    }
    // The clock of the test is paused: none of it went by on the wall.
    assert!(waits.iter().sum::<Duration>() > Duration::from_secs(5));
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_post_that_may_have_had_its_effect_is_never_sent_twice() {
    for act in ambiguous() {
        let peer = Script::new([act.clone(), good()]);
        let upstream = upstream(&peer, |settings| settings.attempts = 10);
        post(&upstream).await.unwrap_err();
        assert_eq!(peer.sent().len(), 1, "{act:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_keyed_post_is_sent_again_with_the_same_key_every_time() {
    for act in ambiguous() {
        let failures = std::iter::repeat_n(act.clone(), 4);
        let peer = Script::new(failures.chain([good()]));
        let upstream = upstream(&peer, |settings| {
            settings.attempts = 5;
            settings.total_timeout_ms = 60_000;
        });
        keyed_post(&upstream).await.unwrap();
        keyed_post(&upstream).await.unwrap();
        let sent = peer.sent();
        assert_eq!(sent.len(), 6, "{act:?}");
        let (first, second) = sent.split_at(5);
        let key = first[0].header(KEY);
        assert_eq!(key.len(), 36);
        assert!(first.iter().all(|request| request.header(KEY) == key));
        assert!(first.iter().all(|request| request.body == sent[0].body));
        assert_ne!(second[0].header(KEY), key, "another call");
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_that_was_never_sent_is_sent_again() {
    let peer = Script::new([Act::unreachable(), good()]);
    post(&upstream(&peer, |_| {})).await.unwrap();
    assert_eq!(peer.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_post_sent_at_last_is_not_sent_again() {
    let peer = Script::new([Act::unreachable(), Act::lost(), good()]);
    let upstream = upstream(&peer, |settings| settings.attempts = 10);
    let error = post(&upstream).await.unwrap_err();
    assert_eq!(error, ClientError::Unreachable { sent: true });
    assert_eq!(peer.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_4xx_but_two_that_tell_of_load_ever_opens_the_circuit() {
    for status in (400..500).filter(|status| !matches!(status, 408 | 429)) {
        let peer = Script::new([Act::status(status)]);
        let upstream = peer.upstream("course", &lyceum_client::UpstreamSettings::default());
        let upstream = upstream.unwrap();
        for _ in 0..30 {
            assert_eq!(
                get(&upstream).await.unwrap_err().refused_with(),
                Some(status)
            );
        }
        let breaker = &upstream.breakers()[0].breaker;
        assert_eq!((breaker.state, breaker.window_failures), (State::Closed, 0));
        assert_eq!(peer.sent().len(), 30, "nor is it asked again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_first_that_its_time_is_up_hangs_all_the_same() {
    let peer = Script::new([Act::status(408)]);
    let upstream = peer.upstream("course", &lyceum_client::UpstreamSettings::default());
    let upstream = upstream.unwrap();
    assert_eq!(get(&upstream).await.unwrap_err(), ClientError::Timeout);
    assert_eq!(peer.sent().len(), 2, "it may be asked again");
    let breaker = &upstream.breakers()[0].breaker;
    assert_eq!(breaker.consecutive_failures, 2);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_reached_nobody_does_not_undo_what_the_request_before_may_have_done() {
    let peer = Script::new([Act::lost(), Act::unreachable()]);
    let error = keyed_post(&upstream(&peer, |_| {})).await.unwrap_err();
    assert_eq!(error, ClientError::Unreachable { sent: true });
    assert_eq!(peer.sent().len(), 2);
}
