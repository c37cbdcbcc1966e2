//! A real process: killed again and again beside a mail server that refuses, delays and drops, and
//! read by its operators.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lyceum_chassis::settings::DEVELOPMENT_SERVICE_SECRET;
use lyceum_contracts::delivery::DeliveryState;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::http::Client;
use lyceum_testing::identity::{TestUsers, service_token};
use lyceum_testing::peer::ScriptedPeer;
use lyceum_testing::process::Process;
use lyceum_testing::smtp::{Attempt, MailServer, Manners, Taken};
use lyceum_testing::{PATIENCE, eventually};
use serde_json::{Value, json};

use super::office::knows_everybody;
use crate::platform::{EVENTS, Person, registration};

/// Longer than [`PATIENCE`]: many processes of a debug build, one after the other.
const LONG: Duration = Duration::from_mins(4);

/// Letters that may be on their way, waiting to be written down, or being so, in one process.
const IN_DOUBT: usize = 3 * 5;

/// What the server does with a letter depends on who it is to and how often it was asked before.
fn manners(seed: u64, asked_before: usize, recipient: &str) -> Manners {
    let mut rng = fastrand::Rng::with_seed(
        seed ^ recipient
            .bytes()
            .map(u64::from)
            .fold(7_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(b)),
    );
    let fate = rng.u8(0..100);
    if (0..4).contains(&fate) {
        return Manners::Refuse(550);
    }
    if asked_before > 0 {
        return Manners::Accept;
    }
    match fate {
        4..14 => Manners::Refuse(451),
        14..18 => Manners::RefuseLetter(452),
        18..24 => Manners::HangUp,
        24..32 => Manners::AcceptAndHangUp,
        32..50 => Manners::Delay(Duration::from_millis(rng.u64(1..60))),
        _ => Manners::Accept,
    }
}

struct Scene {
    database: TestDatabase,
    tokens: TestUsers,
    users: ScriptedPeer,
    server: MailServer,
}

impl Scene {
    fn with(manners: impl Fn(&Attempt) -> Manners + Send + Sync + 'static) -> Self {
        let tokens = TestUsers::new();
        let users = tokens.serve();
        knows_everybody(&users);
        Self {
            database: TestDatabase::create(),
            tokens,
            users,
            server: MailServer::start(manners),
        }
    }

    fn start(&self) -> Process {
        Process::service(env!("CARGO_BIN_EXE_lyceum-notification"))
            .setting("database.url", self.database.url())
            .setting("database.min_connections", 0)
            .setting("upstreams.user.base_url", self.users.url())
            .setting("mail.transport", "smtp")
            .setting("mail.smtp.host", "127.0.0.1")
            .setting("mail.smtp.port", self.server.port())
            .setting("mail.poll_ms", 50)
            // A server that is merely slow, on a machine that is busy, is waited for: a letter it took
            // and could not say so in time would come twice.
            .setting("mail.timeout_ms", 5_000)
            // What was claimed by a process that is gone is due again soon.
            .setting("mail.lease_ms", 7_000)
            .start()
    }

    async fn client(&self, process: &Process) -> Client {
        Client::new(process.ports(PATIENCE).await.api_url())
    }

    fn admin(&self, client: &Client) -> Person {
        Person {
            id: 5_000_000,
            token: self.tokens.admin(5_000_000),
            client: client.clone(),
        }
    }
}

async fn register(client: &Client, events: &[Value]) {
    let token = service_token("user", "notification", DEVELOPMENT_SERVICE_SECRET);
    for batch in events.chunks(50) {
        let request = client.post(EVENTS).bearer(&token);
        let batch = json!({ "events": batch });
        request.json(&batch).send().await.expect(200);
    }
}

/// Lets what waits for its next attempt have it now, until every letter has come to its end.
async fn all_end(admin: &Person) {
    let ended = tokio::time::timeout(LONG, async {
        loop {
            // In one look: between two a letter may change sides.
            let mut open = admin.deliveries(None).await;
            open.retain(|letter| {
                matches!(letter.state, DeliveryState::Queued | DeliveryState::Sending)
            });
            if open.is_empty() {
                return;
            }
            for letter in open.iter().filter(|letter| letter.error.is_some()) {
                // It may just have been claimed.
                admin
                    .post(&format!("/deliveries/{}/retry", letter.id))
                    .await;
            }
        }
    });
    ended.await.expect("every letter comes to its end");
}

/// Registers `people` and kills the process `kills` times while their letters are sent.
async fn everybody_is_written(people: i64, kills: usize, seed: u64) {
    let asked = std::sync::Mutex::new(BTreeMap::<String, usize>::new());
    let accepted_unsaid = std::sync::Arc::new(AtomicU64::new(0));
    let unsaid = std::sync::Arc::clone(&accepted_unsaid);
    let scene = Scene::with(move |attempt: &Attempt| {
        let mut asked = asked.lock().unwrap();
        let before = asked.entry(attempt.recipient.clone()).or_default();
        let manners = manners(seed, *before, &attempt.recipient);
        *before += 1;
        if manners == Manners::AcceptAndHangUp {
            unsaid.fetch_add(1, Ordering::SeqCst);
        }
        manners
    });
    let mut rng = fastrand::Rng::with_seed(seed);
    let events: Vec<_> = (1..=people).map(registration).collect();
    let mut process = scene.start();
    let mut client = scene.client(&process).await;
    for chunk in events.chunks(events.len().div_ceil(kills)) {
        register(&client, chunk).await;
        let before = scene.server.attempts();
        let until = before + rng.usize(1..=chunk.len() * 3 / 4);
        scene.server.wait_for_attempts(until, LONG).await;
        process.kill9().await;
        process = scene.start();
        client = scene.client(&process).await;
    }
    let admin = scene.admin(&client);
    all_end(&admin).await;

    let taken = scene.server.taken();
    let mut copies = BTreeMap::<String, Vec<&Taken>>::new();
    for letter in &taken {
        copies
            .entry(letter.recipient.clone())
            .or_default()
            .push(letter);
    }
    let letters = admin.deliveries(None).await;
    assert_eq!(
        letters.len(),
        events.len(),
        "one letter for each registration"
    );
    let mut dead = BTreeSet::new();
    for letter in &letters {
        let recipient = format!("user{}@example.org", letter.user_id);
        if manners(seed, 1, &recipient) == Manners::Refuse(550) {
            assert_eq!(letter.state, DeliveryState::Dead, "{letter:?}");
            assert_eq!(letter.error.as_deref(), Some("smtp_550"));
            assert_eq!(copies.get(&recipient), None);
            dead.insert(letter.id);
            continue;
        }
        assert_eq!(letter.state, DeliveryState::Sent, "{letter:?}");
        let copies = &copies[&recipient];
        assert!(!copies.is_empty(), "{recipient} was written");
        for copy in copies {
            assert_eq!(copy.message_id(), letter.message_id, "{recipient}");
        }
    }
    let listed = admin.deliveries(Some(DeliveryState::Dead)).await;
    let listed: BTreeSet<_> = listed.into_iter().map(|letter| letter.id).collect();
    assert_eq!(listed, dead, "dead letters are listed");
    assert!(!dead.is_empty(), "some were refused for good");

    // Twice is only what the server had taken without our knowing: because it did not say so, or
    // because the process was killed before it was written down.
    let twice = taken.len() - copies.len();
    let unsaid = usize::try_from(accepted_unsaid.load(Ordering::SeqCst)).unwrap();
    assert!(twice >= 1, "something has been in doubt");
    assert!(
        twice <= unsaid + kills * IN_DOUBT,
        "{twice} copies, {unsaid} unsaid"
    );
}

#[tokio::test]
async fn everybody_is_written_though_the_process_is_killed_and_the_server_has_moods() {
    everybody_is_written(120, 4, 0x5eed).await;
}

#[tokio::test]
async fn operators_read_how_many_letters_have_died() {
    let scene = Scene::with(|_| Manners::Refuse(550));
    let process = scene.start();
    register(&scene.client(&process).await, &[registration(1)]).await;
    scene.server.wait_for_attempts(1, PATIENCE).await;
    let operations = Client::new(process.ports(PATIENCE).await.operations_url());
    let dead = eventually("counted", async || {
        let metrics = operations.get("/metrics").send().await.expect(200).text();
        let mut lines = metrics.lines().map(str::to_owned);
        lines.find(|line| line.starts_with("lyceum_mail_dead_total{"))
    })
    .await;
    assert!(
        dead.contains("template=\"welcome\"") && dead.ends_with(" 1"),
        "{dead}"
    );
}

#[tokio::test]
#[ignore = "a minute or two; the same with a thousand people"]
async fn a_thousand_people_are_written_though_the_process_is_killed_and_the_server_has_moods() {
    for seed in [1, 2] {
        everybody_is_written(1_000, 20, seed).await;
    }
}
