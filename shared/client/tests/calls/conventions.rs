//! The spans of a call, as OpenTelemetry's conventions for HTTP clients have them (1.44).

use std::time::Duration;

use lyceum_client::testing::{Act, Script};
use lyceum_client::{CourseClient, UpstreamSettings};
use lyceum_telemetry::testing::{Captured, capture};
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use serde_json::json;

use crate::ada;
use crate::telemetry::{attribute, traced};

fn good() -> Act {
    Act::json(200, &json!({"enrolled": 3, "dropped": 1, "teaching": 0}))
}

fn client(peer: &Script, configure: impl FnOnce(&mut UpstreamSettings)) -> CourseClient {
    let mut settings = UpstreamSettings::default();
    configure(&mut settings);
    peer.upstream("course", &settings).unwrap().into()
}

/// What a call leaves: the span of the call itself, and those of its attempts in order.
struct Trace {
    call: SpanData,
    attempts: Vec<SpanData>,
}

impl Trace {
    /// Of a call with so many attempts, whatever comes of it.
    async fn of<T>(captured: &Captured, attempts: usize, call: impl Future<Output = T>) -> Self {
        let (_, spans) = traced(captured, attempts + 1, call).await;
        let (mut attempts, mut calls): (Vec<_>, Vec<_>) = spans
            .into_iter()
            .partition(|span| span.span_kind == SpanKind::Client);
        attempts.sort_by_key(|span| span.start_time);
        let call = calls.remove(0);
        assert!(calls.is_empty(), "{calls:?}");
        Self { call, attempts }
    }

    /// What holds of every call.
    fn check(&self) {
        assert_eq!(self.call.span_kind, SpanKind::Internal);
        let http = |key: &str| key.starts_with("http.") || key.starts_with("url.");
        let mut keys = self.call.attributes.iter().map(|kv| kv.key.as_str());
        assert!(!keys.any(http), "{:?}", self.call);
        for (attempt, resends) in self.attempts.iter().zip(0_u32..) {
            assert_eq!(attempt.parent_span_id, self.call.span_context.span_id());
            let said = |key| attribute(attempt, key);
            assert_eq!(attempt.name, "GET");
            assert_eq!(said("http.request.method").as_deref(), Some("GET"));
            assert_eq!(said("server.address").as_deref(), Some("peer.test"));
            assert_eq!(said("server.port").as_deref(), Some("80"));
            let url = "http://peer.test/users/1/stats";
            assert_eq!(said("url.full").as_deref(), Some(url));
            let resend_count = (resends > 0).then(|| resends.to_string());
            assert_eq!(said("http.request.resend_count"), resend_count);
            let failed = matches!(attempt.status, Status::Error { .. });
            assert_eq!(said("error.type").is_some(), failed);
        }
    }

    /// `error.type` of each attempt.
    fn errors(&self) -> Vec<Option<String>> {
        let errors = self
            .attempts
            .iter()
            .map(|span| attribute(span, "error.type"));
        errors.collect()
    }
}

fn words(words: &[Option<&str>]) -> Vec<Option<String>> {
    words.iter().map(|word| word.map(str::to_owned)).collect()
}

#[tokio::test]
async fn every_attempt_has_what_the_conventions_require_and_the_call_has_nothing_of_http() {
    let captured = capture();
    let peer = Script::new([Act::status(503), Act::lost(), good()]);
    let courses = client(&peer, |settings| settings.attempts = 3);
    let trace = Trace::of(&captured, 3, Box::pin(courses.stats_of(ada()))).await;
    trace.check();
    assert_eq!(
        trace.errors(),
        words(&[Some("503"), Some("unreachable"), None])
    );
    assert_eq!(attribute(&trace.call, "error.type"), None);
}

#[tokio::test]
async fn a_call_that_fails_bears_the_error_of_its_last_attempt() {
    let captured = capture();
    let peer = Script::new([Act::status(503), Act::unreachable()]);
    let courses = client(&peer, |_| {});
    let trace = Trace::of(&captured, 2, Box::pin(courses.stats_of(ada()))).await;
    trace.check();
    assert_eq!(trace.errors(), words(&[Some("503"), Some("unreachable")]));
    let error = attribute(&trace.call, "error.type");
    assert_eq!(error.as_deref(), Some("unreachable"));
}

#[tokio::test]
async fn a_call_asked_twice_at_once_is_two_attempts_and_the_loser_is_no_error() {
    let captured = capture();
    let usual = good().after(Duration::from_millis(10));
    let known = std::iter::repeat_n(usual.clone(), 100);
    let late = good().after(Duration::from_secs(1));
    let peer = Script::new(known.chain([late, usual]));
    let courses = client(&peer, |settings| settings.hedge.max_extra_percent = 2);
    tokio::time::pause();
    for _ in 0..100 {
        courses.stats_of(ada()).await.unwrap();
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    // The spans are waited for by the clock on the wall.
    let call = async {
        courses.stats_of(ada()).await.unwrap();
        tokio::time::resume();
    };
    let trace = Trace::of(&captured, 2, Box::pin(call)).await;
    trace.check();
    assert_eq!(peer.sent().len(), 102);
    assert_eq!(trace.errors(), words(&[None, None]));
    let [loser, winner] = &trace.attempts[..] else {
        panic!("{:?}", trace.attempts)
    };
    let status = |span| attribute(span, "http.response.status_code");
    assert_eq!(
        (status(loser), status(winner)),
        (None, Some("200".to_owned()))
    );
    assert_eq!(
        (&loser.status, &winner.status),
        (&Status::Unset, &Status::Unset)
    );
}

#[tokio::test]
async fn an_answer_from_the_cache_is_no_attempt() {
    let captured = capture();
    let peer = Script::new([good()]);
    let courses = client(&peer, |settings| settings.cache.fresh_ms = 60_000);
    let asked = Trace::of(&captured, 1, Box::pin(courses.stats_of(ada()))).await;
    asked.check();
    assert_eq!(
        attribute(&asked.call, "lyceum.cache").as_deref(),
        Some("asked")
    );
    let fresh = Trace::of(&captured, 0, Box::pin(courses.stats_of(ada()))).await;
    fresh.check();
    assert_eq!(
        attribute(&fresh.call, "lyceum.cache").as_deref(),
        Some("fresh")
    );
    assert!(fresh.attempts.is_empty());
}

#[tokio::test(start_paused = true)]
async fn of_a_peer_with_several_addresses_each_attempt_tells_its_own() {
    let captured = capture();
    let peer = Script::new([good()]);
    let upstream = peer.upstream("course", &UpstreamSettings::default());
    let upstream = upstream.unwrap();
    let addresses = ["10.0.0.1:80", "10.0.0.2:80"].map(|text| text.parse().unwrap());
    peer.name("peer.test", addresses);
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
        never = upstream.watch() => match never {},
    }
    let courses = CourseClient::from(upstream);
    let trace = Trace::of(&captured, 1, Box::pin(courses.stats_of(ada()))).await;
    trace.check();
    let said = |key| attribute(&trace.attempts[0], key).unwrap();
    assert!(said("network.peer.address").starts_with("10.0.0."));
    assert_eq!(said("network.peer.port"), "80");
}
