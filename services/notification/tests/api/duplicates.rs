//! Hundreds of batches of events over a wire that loses replies, breaks connections and holds
//! requests back: every event has its effect once.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use lyceum_chassis::settings::DEVELOPMENT_SERVICE_SECRET;
use lyceum_client::{Identity, NotificationClient, ServiceAuthSettings, UpstreamSettings};
use lyceum_contracts::event::{Envelope, Event};
use lyceum_contracts::notification::EventBatch;
use lyceum_resilience::breaker::Mode;
use lyceum_testing::wire::{Odds, Wire};
use sea_orm::{ConnectionTrait, Statement};
use time::macros::datetime;
use uuid::Uuid;

use crate::platform::Platform;

/// Batches, and events in each.
const BATCHES: u32 = 500;
const EVENTS_EACH: u32 = 3;
/// People the events are about.
const PEOPLE: u32 = 50;

/// One request in five meets a fault.
const ODDS: Odds = Odds {
    reset: 9,
    lost: 9,
    silent: 1,
    late: 1,
};

/// The service as course sees it: repeats are not rationed, and nothing but the wire keeps a
/// request from being sent.
fn notifications(base_url: String) -> NotificationClient {
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
    let client = NotificationClient::new(&settings, &identity).unwrap();
    for report in client.upstream().breakers() {
        let mode = Mode::ForcedClosed;
        assert!(client.upstream().set_mode(&report.endpoint, mode));
    }
    client
}

/// An event known by its number alone.
fn event(number: u32) -> Envelope {
    Envelope {
        event_id: Uuid::from_u128(number.into()),
        occurred_at: datetime!(2026-01-02 03:04:05 UTC),
        traceparent: None,
        event: Event::EnrolmentCreated {
            enrolment_id: i64::from(number + 1).try_into().unwrap(),
            user_id: i64::from(number % PEOPLE + 1).try_into().unwrap(),
            course_id: i64::from(number + 1).try_into().unwrap(),
            course_title: number.to_string(),
        },
    }
}

/// How often each event had its effect, by the title it made.
async fn effects(platform: &Platform) -> BTreeMap<String, i64> {
    let database = platform.app.database().connect().await;
    let sql = "SELECT title, COUNT(*) FROM notifications GROUP BY title";
    let query = Statement::from_string(database.get_database_backend(), sql);
    let rows = database.query_all_raw(query).await.unwrap().into_iter();
    rows.map(|row| {
        let title = row.try_get_by_index(0).unwrap();
        (title, row.try_get_by_index(1).unwrap())
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_of_events_have_their_effects_once_whatever_the_wire_does() {
    let platform = Platform::start();
    let wire = Wire::to(platform.app.base_url(), ODDS, 0x00e7_e275);
    let client = notifications(wire.url());
    let publish = async |number: u32| {
        let first = number * EVENTS_EACH;
        let events = (first..first + EVENTS_EACH).map(event).collect();
        let receipt = client.publish(&EventBatch { events }).await.ok();
        (first, receipt)
    };
    let published = stream::iter(0..BATCHES).map(publish).buffer_unordered(16);
    let published: Vec<_> = published.collect().await;
    wire.settled().await;

    let effects = effects(&platform).await;
    assert!(effects.values().all(|times| *times == 1));
    let mut repeated = 0;
    for (first, receipt) in &published {
        let Some(receipt) = receipt else { continue };
        for number in *first..first + EVENTS_EACH {
            let title = format!("You are enrolled in {number}");
            assert!(effects.contains_key(&title), "event {number} is lost");
        }
        repeated += usize::from(receipt.duplicates > 0);
    }
    // Were there no faults, or no repeats, nothing would be shown.
    assert_eq!(wire.fates().len(), 5, "every fault has happened");
    assert!(repeated > 20, "{repeated} batches were told again");
}
