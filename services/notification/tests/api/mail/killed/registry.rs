//! Where people register, and where letters learn who lives where.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::{StreamExt, stream};
use lyceum_chassis::settings::DEVELOPMENT_SERVICE_SECRET;
use lyceum_contracts::user::User;
use lyceum_testing::PATIENCE;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::http::Client;
use lyceum_testing::identity::{TestUsers, service_token};
use lyceum_testing::peer::ScriptedPeer;
use lyceum_testing::people::PASSWORD;
use lyceum_testing::process::{Process, binary};
use serde_json::{Value, json};

use crate::mail::office::knows_everybody;
use crate::platform::{EVENTS, registration};

/// People who register at the same time.
const AT_ONCE: usize = 4;

/// Signs everybody's tokens.
const KEY: [u8; 32] = *b"the key of one run of one test..";

/// Where the processes under test listen now, or did.
pub(super) type Addresses = Vec<Mutex<String>>;

/// The user service, or what stands in for it.
pub(super) struct Registry {
    tokens: TestUsers,
    source: Source,
}

enum Source {
    /// Tells events as the outbox of the user service does: again, until they are taken in.
    StandIn(ScriptedPeer),
    Service(Box<Service>),
}

struct Service {
    api: Client,
    _process: Process,
    _database: TestDatabase,
}

impl Registry {
    pub(super) fn stand_in() -> Self {
        let tokens = TestUsers::new();
        let users = tokens.serve();
        knows_everybody(&users);
        Self {
            tokens,
            source: Source::StandIn(users),
        }
    }

    /// Starts the service; it tells events to whoever listens on these ports.
    pub(super) async fn service(told: &[u16]) -> Self {
        let database = TestDatabase::create();
        let urls: Vec<_> = told.iter().map(|port| local(*port)).collect();
        let process = Process::service(binary("lyceum-user"))
            .setting("database.url", database.url())
            .setting("database.min_connections", 0)
            .setting("upstreams.notification.base_url", urls.join(","))
            // Whoever is back is told soon.
            .setting("upstreams.notification.breaker.max_open_ms", 5_000)
            // Nobody listens there.
            .setting("upstreams.course.base_url", local(1))
            // Everybody registers from here.
            .setting("limits.register_per_address.quota", 1_000_000)
            // Nobody else is written to.
            .setting("admin.email", "")
            .setting("tokens.signing_key", BASE64.encode(KEY))
            .start();
        Self {
            tokens: TestUsers::with_key(KEY),
            source: Source::Service(Box::new(Service {
                api: Client::new(process.ports(PATIENCE).await.api_url()),
                _process: process,
                _database: database,
            })),
        }
    }

    pub(super) fn url(&self) -> String {
        match &self.source {
            Source::StandIn(users) => users.url(),
            Source::Service(service) => service.api.base_url().to_owned(),
        }
    }

    /// Registers people, and returns where each of them gets letters, by the id of the account.
    pub(super) async fn register(
        &self,
        people: RangeInclusive<i64>,
        addresses: &Addresses,
    ) -> BTreeMap<i64, String> {
        match &self.source {
            Source::StandIn(_) => {
                let events: Vec<_> = people.clone().map(registration).collect();
                for batch in events.chunks(10) {
                    tell(batch, addresses).await;
                }
                people.map(|id| (id, address(id))).collect()
            }
            Source::Service(service) => {
                let accounts = stream::iter(people).map(async |number| {
                    let (email, name) = (address(number), format!("Ü. Ser {number}"));
                    let account = json!({"email": email, "password": PASSWORD, "full_name": name});
                    let account = service.api.post("/users").json(&account).send().await;
                    (account.expect(201).json::<User>().id.get(), email)
                });
                accounts.buffer_unordered(AT_ONCE).collect().await
            }
        }
    }

    /// A token of somebody who looks after letters.
    pub(super) fn admin(&self) -> String {
        self.tokens.admin(5_000_000)
    }
}

/// Tells the processes in turn, until one has taken it in.
async fn tell(events: &[Value], addresses: &Addresses) {
    let body = json!({ "events": events });
    for at in (0..addresses.len()).cycle() {
        let client = Client::new(addresses[at].lock().unwrap().clone());
        let token = service_token("user", "notification", DEVELOPMENT_SERVICE_SECRET);
        let told = client.post(EVENTS).bearer(token).json(&body).try_send();
        if told.await.is_ok_and(|answer| answer.status == 200) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

pub(super) fn address(person: i64) -> String {
    format!("user{person}@example.org")
}

fn local(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
