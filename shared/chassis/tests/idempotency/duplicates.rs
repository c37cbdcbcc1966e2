//! Ten thousand calls over a wire that loses replies, breaks connections and holds requests back.
//!
//! Caller, wire, service and database are real; the caller repeats as `lyceum-client` does.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use lyceum_chassis::settings::DEVELOPMENT_SERVICE_SECRET;
use lyceum_client::{Identity, ServiceAuthSettings, Upstream, UpstreamSettings};
use lyceum_resilience::breaker::Mode;
use lyceum_testing::database::Engine;
use lyceum_testing::wire::{Fate, Odds, Wire};
use serde_json::{Value, json};

use crate::ledger::Office;

/// One request in five meets a fault.
const ODDS: Odds = Odds {
    reset: 9,
    lost: 9,
    silent: 1,
    late: 1,
};

/// Calls under way at once.
const AT_ONCE: usize = 32;

/// The ledger as the course service sees it: repeats are not rationed, and nothing but the wire
/// keeps a request from being sent.
fn ledger(base_url: String) -> Upstream {
    let secrets = vec![DEVELOPMENT_SERVICE_SECRET.into()];
    let identity = Identity::new("course", &ServiceAuthSettings { secrets }).unwrap();
    let mut settings = UpstreamSettings {
        base_url,
        attempts: 3,
        connect_timeout_ms: 500,
        attempt_timeout_ms: 500,
        ..UpstreamSettings::default()
    };
    settings.budget.percent = 100;
    settings.budget.floor_per_second = 1_000;
    let upstream = Upstream::new("ledger", &settings, &identity).unwrap();
    for report in upstream.breakers() {
        assert!(upstream.set_mode(&report.endpoint, Mode::ForcedClosed));
    }
    upstream
}

/// Sends one POST per number, keyed or not; whether each was answered.
async fn send(wire: &Wire, calls: usize, keyed: bool) -> Vec<(String, bool)> {
    let upstream = ledger(wire.url());
    let call = async |number: usize| {
        let note = number.to_string();
        let entry = json!({"note": note, "amount": 1});
        let call = upstream.post("ledger.write", "/entries", &entry);
        let call = if keyed { call.keyed() } else { call };
        (note, call.json::<Value>().await.is_ok())
    };
    let outcomes = stream::iter(0..calls).map(call).buffer_unordered(AT_ONCE);
    let outcomes = outcomes.collect().await;
    wire.settled().await;
    outcomes
}

/// Every call that was answered had its effect once, every other one at most once.
fn assert_once(outcomes: &[(String, bool)], effects: &BTreeMap<String, i64>) {
    for (note, answered) in outcomes {
        let times = effects.get(note).copied().unwrap_or_default();
        let right = if *answered { times == 1 } else { times <= 1 };
        assert!(right, "call {note} had its effect {times} times");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keyed_posts_have_one_effect_each_whatever_the_wire_does() {
    let calls = match Engine::chosen() {
        Engine::Sqlite => 10_000,
        // A statement costs a round trip there, and the promise is the same.
        Engine::Postgres => 2_000,
    };
    let office = Office::open();
    let wire = Wire::to(office.app.base_url(), ODDS, 0x001d_e300);
    let outcomes = send(&wire, calls, true).await;
    let effects = office.effects().await;
    assert_once(&outcomes, &effects);

    let fates = wire.fates();
    let answered = outcomes.iter().filter(|(_, answered)| *answered).count();
    let heard: usize = fates
        .iter()
        .filter(|(fate, _)| fate.reaches_the_service())
        .map(|(_, requests)| requests)
        .sum();
    let repeats = heard - effects.len();
    println!(
        "{calls} calls, {answered} answered, {} effects",
        effects.len()
    );
    println!("{repeats} requests more than effects; the wire: {fates:?}");
    // Were there no faults, or no repeats, nothing would be shown.
    assert_eq!(fates.len(), 5, "every fault has happened");
    assert!(answered > calls / 2 && answered < calls, "{answered}");
    assert!(repeats > calls / 20, "{repeats}");
    let keys = usize::try_from(office.keys().await).unwrap();
    assert_eq!(keys, effects.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_without_a_key_is_never_sent_twice_whatever_the_wire_does() {
    const CALLS: usize = 1_000;
    let office = Office::open();
    let wire = Wire::to(office.app.base_url(), ODDS, 0x001d_e301);
    let outcomes = send(&wire, CALLS, false).await;
    assert_once(&outcomes, &office.effects().await);

    let fates = wire.fates();
    assert_eq!(fates.len(), 5, "every fault has happened");
    let mut sent = BTreeMap::new();
    for (request, _) in wire.requests() {
        *sent.entry(request.body).or_insert(0) += 1;
    }
    assert!(sent.values().all(|times| *times == 1));
    let passed = fates[&Fate::Passed];
    let answered = outcomes.iter().filter(|(_, answered)| *answered).count();
    assert!(answered <= passed && answered > 0, "{answered} of {passed}");
}
