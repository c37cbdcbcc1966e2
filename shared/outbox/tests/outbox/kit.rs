//! A service's half of the story: its database with an outbox, and a notification service that
//! is scripted.

use std::time::Duration;

use lyceum_chassis::database::{Database, DatabaseSettings};
use lyceum_chassis::settings::Secret;
use lyceum_client::{Identity, NotificationClient, ServiceAuthSettings, UpstreamSettings};
use lyceum_contracts::event::{Envelope, Event};
use lyceum_contracts::notification::{EventBatch, EventReceipt};
use lyceum_outbox::{OutboxSettings, Pass, Relay};
use lyceum_testing::database::TestDatabase;
use lyceum_testing::peer::{Answer, Received, ScriptedPeer};
use sea_orm_migration::prelude::*;

pub(crate) const EVENTS: &str = "POST /internal/events";
/// How long a test waits for what takes milliseconds.
pub(crate) const PATIENCE: Duration = lyceum_testing::PATIENCE;

pub(crate) struct Kit {
    pub(crate) database: Database,
    pub(crate) peer: ScriptedPeer,
    _place: TestDatabase,
}

impl Kit {
    pub(crate) async fn start() -> Self {
        let place = TestDatabase::create();
        let settings = DatabaseSettings {
            url: Secret::from(place.url()),
            max_connections: 8,
            min_connections: 0,
            acquire_timeout_ms: 10_000,
            connect_timeout_ms: 10_000,
            max_lifetime_s: 3_600,
            idle_timeout_s: 600,
            check_after_idle_ms: 5_000,
            statement_timeout_ms: 30_000,
            migrate_on_start: true,
            prune: true,
        };
        Self {
            database: Database::connect::<Migrator>("test", &settings)
                .await
                .unwrap(),
            peer: ScriptedPeer::start(),
            _place: place,
        }
    }

    /// A relay to the scripted peer.
    pub(crate) fn relay(&self) -> Relay {
        self.relay_with(&outbox())
    }

    pub(crate) fn relay_with(&self, settings: &OutboxSettings) -> Relay {
        Relay::new(self.database.clone(), client(self.peer.url()), settings)
    }

    /// Commits one event per user.
    pub(crate) async fn push(&self, users: impl IntoIterator<Item = i64>) {
        let transaction = self.database.begin_write().await.unwrap();
        for user in users {
            lyceum_outbox::push(&transaction, &registered(user))
                .await
                .unwrap();
        }
        transaction.commit().await.unwrap();
    }

    /// The users the peer was told of, request by request.
    pub(crate) fn told(&self) -> Vec<Vec<i64>> {
        self.peer.requests().iter().map(users).collect()
    }

    /// Claims end as if their leases were over: what the clock does to a killed relay's rows.
    pub(crate) async fn end_leases(&self) {
        let past = "UPDATE outbox SET available_at = occurred_at";
        self.database.execute_unprepared(past).await.unwrap();
    }
}

/// Asks once per call, so that every request is the relay's own doing.
pub(crate) fn client(url: String) -> NotificationClient {
    let secrets = ServiceAuthSettings {
        secrets: vec!["a secret of the tests, 32 bytes and more".into()],
    };
    let identity = Identity::new("course", &secrets).unwrap();
    let settings = UpstreamSettings {
        base_url: url,
        attempts: 1,
        total_timeout_ms: 20_000,
        attempt_timeout_ms: 5_000,
        ..UpstreamSettings::default()
    };
    NotificationClient::new(&settings, &identity).unwrap()
}

pub(crate) fn outbox() -> OutboxSettings {
    OutboxSettings {
        relay: true,
        poll_ms: 3_600_000,
        batch: 100,
        lease_ms: 60_000,
    }
}

pub(crate) fn registered(user: i64) -> Event {
    Event::UserRegistered {
        user_id: user.to_string().parse().unwrap(),
    }
}

pub(crate) fn envelopes(request: &Received) -> Vec<Envelope> {
    request.json::<EventBatch>().events
}

pub(crate) fn users(request: &Received) -> Vec<i64> {
    let user = |envelope: &Envelope| match &envelope.event {
        Event::UserRegistered { user_id } | Event::EnrolmentCreated { user_id, .. } => {
            user_id.get()
        }
        other => panic!("not pushed here: {other:?}"),
    };
    envelopes(request).iter().map(user).collect()
}

pub(crate) fn yes() -> Answer {
    Answer::json(
        200,
        &EventReceipt {
            accepted: 1,
            duplicates: 0,
        },
    )
}

pub(crate) fn told_and_dead(pass: Pass) -> (usize, usize) {
    (pass.delivered, pass.dead)
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        lyceum_outbox::migrations()
    }
}
