//! Several addresses of one peer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use lyceum_client::testing::{Act, Script, Sent};
use lyceum_client::{ClientError, CourseClient, Event, Upstream, UpstreamSettings};
use lyceum_resilience::breaker::{Mode, State};
use serde_json::json;
use tokio::time::advance;

use crate::ada;

const SECOND: Duration = Duration::from_secs(1);

fn good() -> Act {
    Act::json(200, &json!({"enrolled": 1, "dropped": 0, "teaching": 0}))
}

/// `one` and `two`, of which the first does as `act` says and the second answers.
fn one_of_two_is(act: Act) -> Script {
    Script::deciding(move |sent: &Sent| match &*sent.host {
        "one:80" => act.clone(),
        _ => good(),
    })
}

fn two(peer: &Script, configure: impl FnOnce(&mut UpstreamSettings)) -> Upstream {
    let mut settings = UpstreamSettings {
        base_url: "http://one,http://two".to_owned(),
        ..UpstreamSettings::default()
    };
    configure(&mut settings);
    peer.upstream("course", &settings).unwrap()
}

/// Two endpoints, the first of which fails whatever it is asked; only their standing beside each
/// other counts.
fn one_always_fails() -> (Script, Upstream) {
    let slowly = Duration::from_millis(10);
    let peer = Script::deciding(move |sent: &Sent| match &*sent.host {
        "one:80" => Act::status(500).after(slowly),
        _ => good().after(slowly),
    });
    let upstream = two(&peer, |settings| {
        settings.budget.percent = 100;
        // Out of the way.
        settings.breaker.consecutive_failures = 255;
        settings.breaker.minimum_calls = 100_000;
    });
    (peer, upstream)
}

fn sent_to(peer: &Script, host: &str) -> usize {
    peer.sent().iter().filter(|sent| sent.host == host).count()
}

#[tokio::test(start_paused = true)]
async fn calls_are_shared_between_endpoints_that_are_as_quick() {
    let peer = Script::new([good()]);
    let courses = CourseClient::from(two(&peer, |_| {}));
    for _ in 0..200 {
        courses.stats_of(ada()).await.unwrap();
    }
    let one = sent_to(&peer, "one:80");
    assert!((60..=140).contains(&one), "{one} of 200");
}

#[tokio::test(start_paused = true)]
async fn the_slower_endpoint_gets_the_fewer_calls() {
    let peer = one_of_two_is(good().after(SECOND / 2));
    let courses = CourseClient::from(two(&peer, |_| {}));
    for _ in 0..200 {
        courses.stats_of(ada()).await.unwrap();
    }
    let slow = sent_to(&peer, "one:80");
    assert!(slow < 40, "{slow} of 200");
}

#[tokio::test(start_paused = true)]
async fn a_repeat_goes_to_the_other_endpoint() {
    let peer = one_of_two_is(Act::status(500));
    let courses = CourseClient::from(two(&peer, |settings| settings.budget.percent = 100));
    for _ in 0..100 {
        courses.stats_of(ada()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_rests_and_the_other_serves_alone() {
    let peer = one_of_two_is(Act::unreachable());
    let upstream = two(&peer, |settings| settings.outlier.failure_percent = 0);
    let courses = CourseClient::from(upstream.clone());
    while upstream.breakers()[0].breaker.state == State::Closed {
        courses.stats_of(ada()).await.unwrap();
        // The penalty of a failure sinks with time, and the endpoint is tried again.
        advance(10 * SECOND).await;
    }
    let before = sent_to(&peer, "one:80");
    for _ in 0..100 {
        courses.stats_of(ada()).await.unwrap();
    }
    assert_eq!(sent_to(&peer, "one:80"), before);
    assert_eq!(upstream.breakers()[1].breaker.state, State::Closed);
}

#[tokio::test(start_paused = true)]
async fn with_every_breaker_open_the_soonest_probe_is_told() {
    let peer = Script::new([Act::status(500)]);
    let upstream = two(&peer, |settings| settings.attempts = 1);
    let courses = CourseClient::from(upstream.clone());
    let told = loop {
        match courses.stats_of(ada()).await.unwrap_err() {
            ClientError::CircuitOpen { retry_after } => break retry_after,
            _ => advance(SECOND).await,
        }
    };
    let soonest = upstream.breakers().into_iter();
    let soonest = soonest.map(|report| report.breaker.retry_after_ms).min();
    assert_eq!(Some(told.as_millis()), soonest.map(u128::from));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_fails_far_more_than_its_peers_is_left_out_but_never_the_last() {
    let (peer, upstream) = one_always_fails();
    let courses = CourseClient::from(upstream.clone());
    let ejected = |peer: &Script| {
        let ejected = |event: Event| match event {
            Event::Ejected { endpoint, .. } => Some(endpoint.to_string()),
            _ => None,
        };
        peer.events().into_iter().find_map(ejected)
    };
    for _ in 0..2 {
        let calls = (0..60).map(|_| courses.stats_of(ada()));
        for answer in futures_util::future::join_all(calls).await {
            answer.unwrap();
        }
    }
    assert_eq!(ejected(&peer).as_deref(), Some("one:80"));
    assert!(upstream.breakers()[0].ejected_for_ms > 0);
    let before = sent_to(&peer, "one:80");
    for _ in 0..50 {
        courses.stats_of(ada()).await.unwrap();
    }
    assert_eq!(sent_to(&peer, "one:80"), before);
    assert_eq!(upstream.breakers()[1].ejected_for_ms, 0);
}

#[tokio::test(start_paused = true)]
async fn each_of_several_addresses_of_a_name_is_an_endpoint() {
    let peer = Script::new([good()]);
    let settings = UpstreamSettings {
        base_url: "http://course:8002".to_owned(),
        ..UpstreamSettings::default()
    };
    let upstream = peer.upstream("course", &settings).unwrap();
    let names = || {
        let reports = upstream.breakers().into_iter();
        reports.map(|report| report.endpoint).collect::<Vec<_>>()
    };
    let address = |text: &str| text.parse().unwrap();
    assert_eq!(names(), ["course:8002"]);

    let watched = async {
        let two = [address("10.0.0.2:8002"), address("10.0.0.1:8002")];
        peer.name("course", two);
        tokio::time::sleep(6 * SECOND).await;
        assert_eq!(names(), ["10.0.0.1:8002", "10.0.0.2:8002"]);

        // One more replica; what is known of the others stays.
        assert!(upstream.set_mode("10.0.0.1:8002", Mode::ForcedOpen));
        let three = ["10.0.0.1:8002", "10.0.0.2:8002", "10.0.0.3:8002"].map(address);
        peer.name("course", three);
        tokio::time::sleep(6 * SECOND).await;
        assert_eq!(names().len(), 3);
        let mode = upstream.breakers()[0].breaker.mode;
        assert_eq!(mode, Mode::ForcedOpen);

        // The name is known to nobody for a while, which says nothing; then it has one address.
        peer.name("course", []);
        tokio::time::sleep(6 * SECOND).await;
        assert_eq!(names().len(), 3);
        peer.name("course", [address("10.0.0.1:8002")]);
        tokio::time::sleep(6 * SECOND).await;
        assert_eq!(names(), ["10.0.0.1:8002"]);
        assert_eq!(upstream.breakers()[0].breaker.mode, Mode::ForcedOpen);
    };
    tokio::select! {
        () = watched => {}
        never = upstream.watch() => match never {},
    }
    let changes = peer.events().into_iter();
    let changes = changes.filter(|event| matches!(event, Event::Endpoints { .. }));
    assert_eq!(changes.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_left_out_is_asked_when_there_is_no_other_and_a_change_does_not_let_it_back() {
    let (peer, upstream) = one_always_fails();
    let courses = CourseClient::from(upstream.clone());
    for _ in 0..2 {
        let calls = (0..60).map(|_| courses.stats_of(ada()));
        futures_util::future::join_all(calls).await;
    }
    assert!(upstream.breakers()[0].ejected_for_ms > 0);

    let mut settings = upstream.settings();
    settings.breaker.consecutive_failures = 200;
    upstream.reconfigure(&settings).unwrap();
    assert!(upstream.breakers()[0].ejected_for_ms > 0);

    assert!(upstream.set_mode("two:80", Mode::ForcedOpen));
    let before = sent_to(&peer, "one:80");
    let error = courses.stats_of(ada()).await.unwrap_err();
    assert_eq!(error.refused_with(), Some(500));
    assert!(sent_to(&peer, "one:80") > before);
}

#[tokio::test(start_paused = true)]
async fn while_two_ramp_up_the_third_takes_what_they_refuse() {
    let healed = Arc::new(AtomicBool::new(false));
    let peer = {
        let healed = Arc::clone(&healed);
        Script::deciding(move |sent: &Sent| match &*sent.host {
            "three:80" => good().after(Duration::from_millis(5)),
            _ if healed.load(Relaxed) => good(),
            _ => Act::status(500),
        })
    };
    let mut settings = UpstreamSettings {
        base_url: "http://one,http://two,http://three".to_owned(),
        attempts: 3,
        ..UpstreamSettings::default()
    };
    settings.budget.percent = 100;
    settings.breaker.ramp_floor_per_second = 1;
    settings.outlier.failure_percent = 0;
    let upstream = peer.upstream("course", &settings).unwrap();
    let courses = CourseClient::from(upstream.clone());
    let states = || {
        let reports = upstream.breakers().into_iter();
        reports
            .map(|report| report.breaker.state)
            .collect::<Vec<_>>()
    };
    while states()[..2] != [State::Open, State::Open] {
        courses.stats_of(ada()).await.unwrap();
        advance(SECOND / 2).await;
    }
    healed.store(true, Relaxed);
    advance(60 * SECOND).await;
    while states() != [State::Closed; 3] {
        courses.stats_of(ada()).await.unwrap();
    }
    for _ in 0..300 {
        courses.stats_of(ada()).await.unwrap();
    }
    let refused = |event: &Event| matches!(event, Event::Refused { .. });
    assert!(!peer.events().iter().any(refused));
}

#[tokio::test(start_paused = true)]
async fn what_was_decided_of_a_name_holds_for_each_of_its_addresses() {
    let peer = Script::new([good()]);
    let settings = UpstreamSettings {
        base_url: "http://course:8002".to_owned(),
        ..UpstreamSettings::default()
    };
    let upstream = peer.upstream("course", &settings).unwrap();
    assert!(upstream.set_mode("course:8002", Mode::ForcedOpen));
    peer.name(
        "course",
        ["10.0.0.1:8002", "10.0.0.2:8002"].map(|text| text.parse().unwrap()),
    );
    let watched = async {
        tokio::time::sleep(SECOND).await;
        let modes = upstream.breakers().into_iter();
        let modes: Vec<_> = modes.map(|report| report.breaker.mode).collect();
        assert_eq!(modes, [Mode::ForcedOpen; 2]);

        let mut settings = upstream.settings();
        settings.dns_refresh_ms = 0;
        upstream.reconfigure(&settings).unwrap();
        assert_eq!(upstream.breakers()[0].endpoint, "course:8002");
    };
    tokio::select! {
        () = watched => {}
        never = upstream.watch() => match never {},
    }
}
