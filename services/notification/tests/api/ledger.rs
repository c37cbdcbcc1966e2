//! A ledger of every place each person was told: nothing lost, nothing doubled, whatever transport
//! they are on, however often they are cut off or slow, while replicas are killed.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::{join_all, join3};
use futures_util::{SinkExt, StreamExt};
use lyceum_chassis::settings::DEVELOPMENT_SERVICE_SECRET;
use lyceum_testing::PATIENCE;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::http::Client;
use lyceum_testing::identity::{TestUsers, service_token};
use lyceum_testing::peer::ScriptedPeer;
use lyceum_testing::process::Process;
use lyceum_testing::seed;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::platform::{EVENTS, STREAM, enrolment};
use crate::socket::SOCKET;

/// How much happens.
struct Scale {
    people: usize,
    notifications: usize,
    kills: usize,
    /// How many tell of what happens, at once.
    publishers: usize,
    /// How long a client waits for the next notification before it goes elsewhere, in
    /// milliseconds: so long that replicas do not spend their time on greetings.
    patience_ms: Range<u64>,
    /// For all of it.
    deadline: Duration,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_doubled_while_replicas_are_killed() {
    let scale = Scale {
        people: 20,
        notifications: 600,
        kills: 2,
        publishers: 1,
        patience_ms: 20..1_500,
        deadline: Duration::from_mins(2),
    };
    run(scale, 0x001e_d6e8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes long: make soak"]
async fn nothing_is_lost_and_nothing_doubled_among_a_thousand_people() {
    let scale = Scale {
        people: 1_000,
        notifications: 100_000,
        kills: 20,
        publishers: 4,
        patience_ms: 20..30_000,
        deadline: Duration::from_mins(30),
    };
    run(scale, seed::drawn()).await;
}

/// What everybody shares.
struct World {
    /// Where the two replicas listen now, or did.
    addresses: [Mutex<String>; 2],
    published: watch::Sender<usize>,
    legs: [AtomicUsize; 2],
    cut_by_server: AtomicUsize,
}

impl World {
    fn address(&self, random: &mut Rng) -> String {
        self.addresses[random.usize(..2)].lock().unwrap().clone()
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a failure is looked into with the same seed"
)]
async fn run(scale: Scale, seed: u64) {
    println!("seed {seed:#x}");
    let mut random = Rng::with_seed(seed);
    let recipients: Vec<usize> = (0..scale.notifications)
        .map(|_| random.usize(..scale.people))
        .collect();
    let (database, tokens) = (TestDatabase::create(), TestUsers::new());
    let users = tokens.serve();
    let mut replicas = Vec::new();
    // One after the other: the first one migrates.
    for _ in 0..2 {
        replicas.push(start(&database, &users, &scale).await);
    }
    let world = Arc::new(World {
        addresses: [0, 1].map(|at| Mutex::new(replicas[at].1.clone())),
        published: watch::Sender::new(0),
        legs: Default::default(),
        cut_by_server: AtomicUsize::new(0),
    });
    let listeners = (0..scale.people).map(|person| {
        let listener = Listener {
            world: Arc::clone(&world),
            tokens: &tokens,
            person: i64::try_from(person + 1).unwrap(),
            patience_ms: scale.patience_ms.clone(),
            random: random.fork(),
            last: 0,
            end: i64::try_from(recipients.iter().filter(|it| **it == person).count()).unwrap(),
        };
        listener.listen()
    });
    let listeners = join_all(listeners);
    let share = scale.notifications.div_ceil(scale.publishers);
    let publishers = recipients
        .chunks(share)
        .map(|share| publish(&world, share, random.fork()));
    let publishers = join_all(publishers);
    let killer = async {
        let mut published = world.published.subscribe();
        for kill in 1..=scale.kills {
            let moment = kill * scale.notifications / (scale.kills + 1);
            published.wait_for(|count| *count >= moment).await.unwrap();
            let at = random.usize(..2);
            replicas[at].0.kill9().await;
            replicas[at] = start(&database, &users, &scale).await;
            let mut address = world.addresses[at].lock().unwrap();
            address.clone_from(&replicas[at].1);
        }
    };
    let told = timeout(scale.deadline, join3(publishers, killer, listeners)).await;
    told.expect("everybody has heard everything in time");
    // Were nobody cut off, or nobody on one of them, nothing would be shown.
    let [streams, sockets] = world.legs.each_ref().map(|it| it.load(Ordering::Relaxed));
    let cut = world.cut_by_server.load(Ordering::Relaxed);
    println!("{streams} streams, {sockets} sockets, {cut} ended by the server");
    assert!(streams > scale.people && sockets > scale.people && cut > 0);

    let connection = database.connect().await;
    let sql = "SELECT COUNT(*) FROM notifications";
    let query = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(query).await.unwrap().unwrap();
    let written: i64 = row.try_get_by_index(0).unwrap();
    assert_eq!(written, i64::try_from(scale.notifications).unwrap());
    for (replica, _) in &mut replicas {
        replica.terminate();
        assert!(replica.wait(PATIENCE).await.success());
    }
}

async fn start(database: &TestDatabase, users: &ScriptedPeer, scale: &Scale) -> (Process, String) {
    let process = Process::service(env!("CARGO_BIN_EXE_lyceum-notification"))
        .setting("database.url", database.url())
        .setting("database.min_connections", 0)
        .setting("database.max_connections", 8)
        .setting("database.acquire_timeout_ms", 30_000)
        .setting("upstreams.user.base_url", users.url())
        .setting("live.sweep_ms", 100)
        .setting("mail.run", false)
        .setting("live.ping_ms", 1_000)
        .setting("live.pong_timeout_ms", 400)
        .setting("live.streams_per_node", scale.people * 4)
        .start();
    let url = process.ports(PATIENCE).await.api_url();
    (process, url)
}

/// Tells of everything that happens, each batch until somebody has taken it in.
async fn publish(world: &World, recipients: &[usize], mut random: Rng) {
    let mut rest = recipients;
    while !rest.is_empty() {
        let (batch, later) = rest.split_at(random.usize(1..=rest.len().min(40)));
        let events = batch
            .iter()
            .map(|person| enrolment(i64::try_from(person + 1).unwrap(), "Logic"));
        let body = json!({"events": events.collect::<Vec<_>>()});
        loop {
            // It counts for a minute.
            let token = service_token("course", "notification", DEVELOPMENT_SERVICE_SECRET);
            let client = Client::new(world.address(&mut random));
            let request = client.post(EVENTS).bearer(&token).json(&body);
            if request
                .try_send()
                .await
                .is_ok_and(|answer| answer.status == 200)
            {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        world.published.send_modify(|count| *count += batch.len());
        rest = later;
    }
}

/// Somebody who hears of everything, sooner or later.
struct Listener<'a> {
    world: Arc<World>,
    tokens: &'a TestUsers,
    person: i64,
    patience_ms: Range<u64>,
    random: Rng,
    /// The ledger: every place up to this one was told, in order, once.
    last: i64,
    end: i64,
}

/// What somebody listens on.
enum Line {
    Stream(BufReader<TcpStream>),
    Socket(Box<WebSocketStream<TcpStream>>),
}

impl Listener<'_> {
    async fn listen(mut self) {
        while self.last < self.end {
            let Some(mut line) = self.open().await else {
                sleep(Duration::from_millis(self.random.u64(1..50))).await;
                continue;
            };
            // How long this leg lasts, and whether its client is a slow one.
            let notifications = self.random.usize(1..12);
            let patience = Duration::from_millis(self.random.u64(self.patience_ms.clone()));
            let is_slow = self.random.u8(..8) == 0;
            for _ in 0..notifications {
                if is_slow {
                    sleep(Duration::from_millis(self.random.u64(..900))).await;
                }
                match timeout(patience, line.next()).await {
                    Ok(Some(place)) => {
                        assert_eq!(place, self.last + 1, "of {}", self.end);
                        self.last = place;
                    }
                    Ok(None) => {
                        self.world.cut_by_server.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                    Err(_) => break,
                }
                if self.last == self.end {
                    break;
                }
            }
        }
    }

    /// Opens a stream of either kind at either replica, after the last place told.
    async fn open(&mut self) -> Option<Line> {
        let base = self.world.address(&mut self.random);
        let authority = base.strip_prefix("http://")?;
        let stream = TcpStream::connect(authority).await.ok()?;
        let bearer = format!("Bearer {}", self.tokens.student(self.person));
        let kind = self.random.usize(..2);
        let (line, opening) = if kind == 0 {
            let mut stream = BufReader::new(stream);
            let last = self.last;
            let request = format!(
                "GET {STREAM} HTTP/1.1\r\nhost: {authority}\r\nauthorization: {bearer}\r\n\
                 last-event-id: {last}\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).await.ok()?;
            let mut status = String::new();
            stream.read_line(&mut status).await.ok()?;
            if !status.starts_with("HTTP/1.1 200 ") {
                return None;
            }
            let mut line = Line::Stream(stream);
            let opening = line.read("sync").await?;
            (line, opening)
        } else {
            let request = format!("ws://{authority}{SOCKET}").into_client_request();
            let mut request = request.unwrap();
            let headers = request.headers_mut();
            headers.insert("authorization", bearer.parse().unwrap());
            let (mut socket, _) = client_async(request, stream).await.ok()?;
            let hello = json!({"type": "hello", "last_seq": self.last});
            socket.send(Message::text(hello.to_string())).await.ok()?;
            let mut line = Line::Socket(Box::new(socket));
            let opening = line.read("welcome").await?;
            (line, opening)
        };
        assert_eq!(opening["recovered"], true, "after {}: {opening}", self.last);
        self.world.legs[kind].fetch_add(1, Ordering::Relaxed);
        Some(line)
    }
}

impl Line {
    /// The next place told; `None` when the server has ended the stream.
    async fn next(&mut self) -> Option<i64> {
        self.read("notification").await?["seq"].as_i64()
    }

    /// The next message of this kind.
    async fn read(&mut self, wanted: &str) -> Option<Value> {
        match self {
            Self::Stream(stream) => {
                let mut is_wanted = false;
                loop {
                    let mut line = String::new();
                    if stream.read_line(&mut line).await.ok()? == 0 {
                        return None;
                    }
                    if let Some(event) = line.strip_prefix("event: ") {
                        is_wanted = event.trim_end() == wanted;
                    }
                    // A line is whole, or the end of what a killed process has sent.
                    if let Some(data) = line.strip_prefix("data: ")
                        && is_wanted
                    {
                        return serde_json::from_str(data).ok();
                    }
                }
            }
            Self::Socket(socket) => loop {
                let message = socket.next().await?.ok()?;
                let Message::Text(text) = message else {
                    continue;
                };
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["type"] == wanted {
                    return Some(message);
                }
            },
        }
    }
}
