//! Real processes, killed again and again beside a mail server that refuses, delays and drops, and
//! read by their operators.

mod account;
mod moods;
mod registry;
mod replica;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join;
use lyceum_contracts::delivery::DeliveryState;
use lyceum_testing::database::Engine;
use lyceum_testing::http::Client;
use lyceum_testing::process::free_ports;
use lyceum_testing::{eventually, seed};
use tokio::time::{Instant, interval, timeout};

use self::account::Account;
use self::registry::{Addresses, Registry, address};
use self::replica::{Legacy, Setting};
use crate::platform::Person;

/// Between looks at how letters fare.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How much happens.
struct Scale {
    people: i64,
    kills: i64,
    /// For all of it.
    deadline: Duration,
}

#[tokio::test]
async fn everybody_is_written_though_processes_are_killed_and_the_server_has_moods() {
    let scale = Scale {
        people: 120,
        kills: 4,
        deadline: Duration::from_mins(4),
    };
    let setting = Setting::new(0x5eed, Registry::stand_in(), vec![0; replicas()]);
    everybody_is_written(&scale, setting).await;
}

/// Here people register with the user service, and its outbox tells of them: that takes one more
/// process, and half a minute for a thousand passwords.
#[tokio::test]
#[ignore = "minutes long: make soak"]
async fn a_thousand_people_are_written_though_processes_are_killed_and_the_server_has_moods() {
    let scale = Scale {
        people: 1_000,
        kills: 25,
        deadline: Duration::from_mins(20),
    };
    let ports = free_ports(replicas());
    let registry = Registry::service(&ports).await;
    everybody_is_written(&scale, Setting::new(seed::drawn(), registry, ports)).await;
}

/// SQLite is for one process.
fn replicas() -> usize {
    match Engine::chosen() {
        Engine::Sqlite => 1,
        Engine::Postgres => 2,
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a failure is looked into with the same seed, and the figures are written down"
)]
async fn everybody_is_written(scale: &Scale, setting: Setting) {
    println!("seed {:#x}", setting.seed);
    let begun = Instant::now();
    let account = timeout(scale.deadline, account(scale, &setting)).await;
    let account = account.expect("every letter comes to its end in time");
    println!(
        "{:?}: {} people, {} kills, {} attempts; {account}; {} s",
        Engine::chosen(),
        scale.people,
        scale.kills,
        setting.moods.attempts(),
        begun.elapsed().as_secs(),
    );
    // Were nothing in doubt, or nothing refused, nothing would be shown.
    assert!(account.after_silence + account.after_kill > 0 && account.dead > 0);
}

/// Registers everybody, kills processes that send their letters meanwhile, and looks at what became
/// of all.
async fn account(scale: &Scale, setting: &Setting) -> Account {
    let (registry, moods) = (&setting.registry, &setting.moods);
    let mut random = Rng::with_seed(setting.seed);
    let mut replicas = Vec::new();
    // One after the other: the first one migrates.
    for number in 0..setting.ports.len() {
        replicas.push(setting.start(number).await);
    }
    let urls = replicas.iter().map(|replica| replica.url().to_owned());
    let listening: Addresses = urls.map(Mutex::new).collect();
    let (mut people, mut legacies) = (BTreeMap::new(), Vec::new());
    for kill in 0..scale.kills {
        let first = scale.people * kill / scale.kills + 1;
        let last = scale.people * (kill + 1) / scale.kills;
        // Each of these people causes at least one.
        let attempts = random.i64(1..=last - first + 1);
        let moment = moods.attempts() + usize::try_from(attempts).unwrap();
        let killer = async {
            // Whoever is sending is killed in the middle of it.
            let at = moods.wait_for_attempts(moment).await;
            legacies.push(setting.replace(&mut replicas[at]).await);
            let mut url = listening[at].lock().unwrap();
            replicas[at].url().clone_into(&mut url);
        };
        let (registered, ()) = join(registry.register(first..=last, &listening), killer).await;
        people.extend(registered);
    }
    let admin = Person {
        id: 0,
        token: registry.admin(),
        client: Client::new(replicas[0].url()),
    };
    all_end(&admin, people.len()).await;
    let letters = admin.deliveries(None).await;
    let dead = admin.deliveries(Some(DeliveryState::Dead)).await;
    legacies.extend(replicas.into_iter().map(Legacy::from));
    Account::settle(&letters, &dead, &people, &legacies, moods)
}

/// Lets what waits for its next attempt have it now, until every letter has come to its end.
async fn all_end(admin: &Person, letters: usize) {
    let mut looks = interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        // In one look: between two a letter may change sides.
        let all = admin.deliveries(None).await;
        let is_open = |state| matches!(state, DeliveryState::Queued | DeliveryState::Sending);
        let open: Vec<_> = all.iter().filter(|one| is_open(one.state)).collect();
        if open.is_empty() && all.len() >= letters {
            return;
        }
        for letter in open.iter().filter(|letter| letter.error.is_some()) {
            let path = format!("/deliveries/{}/retry", letter.id);
            // It may just have been claimed.
            admin.post(&path).await;
        }
    }
}

#[tokio::test]
async fn operators_read_how_many_letters_have_died() {
    let setting = Setting::new(1, Registry::stand_in(), vec![0]);
    let is_refused = |id: &i64| setting.moods.refused_for_good(&address(*id)).is_some();
    let refused = (1..=1_000).find(is_refused).unwrap();
    let replica = setting.start(0).await;
    let listening = vec![Mutex::new(replica.url().to_owned())];
    let registered = setting.registry.register(refused..=refused, &listening);
    registered.await;
    let operations = Client::new(replica.operations_url().await);
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
