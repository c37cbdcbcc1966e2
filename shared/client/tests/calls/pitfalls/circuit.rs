//! What the breaker and the budget learn of a call, and what they do not.

use std::time::Duration;

use futures_util::future::join_all;
use lyceum_client::testing::{Act, Script};
use lyceum_client::{ClientError, Event, Upstream, UpstreamSettings};
use lyceum_resilience::breaker::{Mode, State};
use serde_json::json;
use tokio::time::{advance, timeout};

use super::{get, settings};

const MILLI: Duration = Duration::from_millis(1);

fn upstream(peer: &Script, settings: &UpstreamSettings) -> Upstream {
    peer.upstream("course", settings).unwrap()
}

fn good() -> Act {
    Act::json(200, &json!({}))
}

#[tokio::test(start_paused = true)]
async fn hung_calls_dropped_by_an_outer_timeout_open_it() {
    let peer = Script::new([Act::hang()]);
    let upstream = upstream(&peer, &UpstreamSettings::default());
    for _ in 0..5 {
        timeout(1_500 * MILLI, get(&upstream)).await.unwrap_err();
    }
    assert_eq!(upstream.breakers()[0].breaker.state, State::Open);
    let error = get(&upstream).await.unwrap_err();
    assert!(matches!(error, ClientError::CircuitOpen { .. }), "{error}");
    assert_eq!(peer.sent().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn calls_dropped_before_they_are_slow_say_nothing() {
    let peer = Script::new([Act::hang()]);
    let upstream = upstream(&peer, &UpstreamSettings::default());
    for _ in 0..500 {
        timeout(100 * MILLI, get(&upstream)).await.unwrap_err();
    }
    let breaker = &upstream.breakers()[0].breaker;
    assert_eq!((breaker.state, breaker.window_calls), (State::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn of_a_thousand_callers_only_the_probes_go_out() {
    let fails = std::iter::repeat_n(Act::status(500), 5);
    let peer = Script::new(fails.chain([good().after(100 * MILLI)]));
    let mut settings = UpstreamSettings {
        attempts: 1,
        ..UpstreamSettings::default()
    };
    settings.breaker.ramp_ms = 0;
    let upstream = upstream(&peer, &settings);
    for _ in 0..5 {
        get(&upstream).await.unwrap_err();
    }
    advance(5_000 * MILLI).await;
    let answers = join_all((0..1_000).map(|_| get(&upstream))).await;
    assert_eq!(peer.sent().len(), 5 + 3);
    let refused: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.len(), 997);
    let at_once = |error: &ClientError| matches!(error, ClientError::CircuitOpen { .. });
    assert!(refused.iter().all(at_once));
    assert_eq!(upstream.breakers()[0].breaker.state, State::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_here_is_no_failure_of_the_peer() {
    let peer = Script::new([Act::hang()]);
    let upstream = upstream(
        &peer,
        &settings(|settings| {
            settings.bulkhead.max_in_flight = 1;
            settings.bulkhead.max_queued = 0;
        }),
    );
    let endpoint = upstream.breakers()[0].endpoint.clone();
    let holder = get(&upstream);
    let others = async {
        for _ in 0..100 {
            assert_eq!(get(&upstream).await.unwrap_err(), ClientError::Overloaded);
        }
        assert!(upstream.set_mode(&endpoint, Mode::ForcedOpen));
        for _ in 0..100 {
            let error = get(&upstream).await.unwrap_err();
            assert!(matches!(error, ClientError::CircuitOpen { .. }));
        }
    };
    tokio::select! {
        biased;
        answer = holder => panic!("{answer:?}"),
        () = others => {}
    }
    assert_eq!(upstream.breakers()[0].breaker.window_calls, 0);
    assert_eq!(peer.sent().len(), 1);
}

/// A budget for exactly one repeat, and only one slot.
fn frugal() -> UpstreamSettings {
    settings(|settings| {
        settings.budget.percent = 1;
        settings.budget.floor_per_second = 0;
        settings.bulkhead.max_in_flight = 1;
        settings.bulkhead.max_queued = 0;
    })
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_is_refused_here_spends_no_budget() {
    let fails = |times| std::iter::repeat_n(Act::status(500), times);
    let pair = [Act::status(500), good().after(60 * MILLI)];
    let pairs = (0..20).flat_map(|_| pair.clone());
    let known = std::iter::repeat_n(good(), 100);
    let peer = Script::new(known.chain(pairs).chain(fails(4)));
    let upstream = upstream(&peer, &frugal());
    for _ in 0..100 {
        get(&upstream).await.unwrap();
    }
    for _ in 0..20 {
        // The first fails; while it waits to be repeated, the second takes the only slot.
        let (first, second) = tokio::join!(biased; get(&upstream), get(&upstream));
        assert_eq!(first.unwrap_err().refused_with(), Some(500));
        second.unwrap();
    }
    assert_eq!(peer.sent().len(), 140, "nothing was repeated");
    get(&upstream).await.unwrap_err();
    assert_eq!(peer.sent().len(), 142, "the one repeat was still there");
    get(&upstream).await.unwrap_err();
    assert_eq!(peer.sent().len(), 143, "and was the only one");
    let reason = "retry_budget";
    assert_eq!(peer.events().last(), Some(&Event::Refused { reason }));
}
