//! The platform of one test: real processes that can be killed and started again.

use std::time::Duration;

use lyceum_testing::PATIENCE;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::eventually;
use lyceum_testing::http::{Client, Response};
use lyceum_testing::otlp::Receiver;
use lyceum_testing::people::Apis;
use lyceum_testing::process::{Process, free_ports};
use tokio::time::Instant;

const NAMES: [&str; 3] = ["user", "course", "notification"];

/// Exports at once, and a drain that lets callers leave.
const QUICK: [(&str, &str); 2] = [
    ("telemetry.export_interval_ms", "100"),
    ("lifecycle.drain_delay_ms", "300"),
];

/// Short waits where production has long ones, so that healing takes moments.
const QUICK_UPSTREAM: [(&str, &str); 6] = [
    ("connect_timeout_ms", "200"),
    ("attempt_timeout_ms", "400"),
    ("total_timeout_ms", "1000"),
    ("breaker.window_ms", "1000"),
    ("breaker.open_ms", "200"),
    ("breaker.max_open_ms", "1000"),
];

/// Settings by their keys.
struct Settings(Vec<(String, String)>);

impl Settings {
    fn new(first: &[(&str, &str)]) -> Self {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Self(first.iter().map(owned).collect())
    }

    fn add(&mut self, key: &str, value: impl Into<String>) {
        self.0.push((key.to_owned(), value.into()));
    }
}

/// One service: its process while it runs, and what outlives the process.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) api: Client,
    pub(crate) operations: Client,
    settings: Settings,
    process: Option<Process>,
    database: TestDatabase,
}

/// Three services that know one another, and the collector they export to.
pub(crate) struct Platform {
    pub(crate) user: Member,
    pub(crate) course: Member,
    pub(crate) notification: Member,
    pub(crate) collector: Receiver,
    pub(crate) people: Apis,
}

impl Platform {
    /// Starts all three and waits until they are ready.
    pub(crate) async fn start() -> Self {
        Self::start_with("", &[]).await
    }

    /// The same, with more settings for the service called `of`.
    pub(crate) async fn start_with(of: &str, settings: &[(&str, &str)]) -> Self {
        let collector = Receiver::start();
        let ports = free_ports(2 * NAMES.len());
        let member = |name: &'static str, peers: &[&'static str]| {
            let place = |name| {
                NAMES
                    .iter()
                    .position(|known| *known == name)
                    .expect("a name")
            };
            let (port, operations) = (ports[place(name)], ports[NAMES.len() + place(name)]);
            let mut own = Settings::new(&QUICK);
            own.add("http.port", port.to_string());
            own.add("operations.port", operations.to_string());
            own.add("telemetry.otlp_endpoint", collector.endpoint());
            for peer in peers {
                let url = format!("http://127.0.0.1:{}", ports[place(peer)]);
                own.add(&format!("upstreams.{peer}.base_url"), url);
                for (key, value) in QUICK_UPSTREAM {
                    own.add(&format!("upstreams.{peer}.{key}"), value);
                }
            }
            if peers.contains(&"notification") {
                // What a killed process had claimed is free again while the test waits.
                own.add("outbox.lease_ms", "2000");
            }
            if name == "notification" {
                // Nobody here reads letters; they wait in their table.
                own.add("mail.run", "false");
                let user = format!("http://127.0.0.1:{}", ports[place("user")]);
                own.add("page.user_url", user);
            } else {
                let page = format!("http://127.0.0.1:{}", ports[place("notification")]);
                own.add("http.allowed_origins", page);
            }
            for (key, value) in settings.iter().filter(|_| of == name) {
                own.add(key, *value);
            }
            Member::new(name, port, operations, own)
        };
        let user = member("user", &["course", "notification"]);
        let course = member("course", &["user", "notification"]);
        let notification = member("notification", &["user", "course"]);
        let mut platform = Self {
            people: Apis {
                user: user.api.clone(),
                course: course.api.clone(),
                notification: notification.api.clone(),
                admin: ("admin@lyceum.test", "lyceum-development-admin"),
            },
            user,
            course,
            notification,
            collector,
        };
        tokio::join!(
            platform.user.start(),
            platform.course.start(),
            platform.notification.start(),
        );
        platform
    }
}

impl Member {
    fn new(name: &'static str, port: u16, operations: u16, settings: Settings) -> Self {
        Self {
            name,
            api: Client::new(format!("http://127.0.0.1:{port}")),
            operations: Client::new(format!("http://127.0.0.1:{operations}")),
            settings,
            process: None,
            database: TestDatabase::create(),
        }
    }

    /// Starts the process and waits until it is ready.
    pub(crate) async fn start(&mut self) {
        let mut launch = Process::service(env!("CARGO_BIN_EXE_lyceum"))
            .arg("service")
            .arg(self.name)
            .setting("database.url", self.database.url());
        for (key, value) in &self.settings.0 {
            launch = launch.setting(key, value);
        }
        let process = launch.start();
        process.ports(PATIENCE).await;
        self.process = Some(process);
        eventually("ready", async || {
            let answer = self.operations.get("/health/ready").try_send().await;
            answer.ok().filter(|answer| answer.status == 200)
        })
        .await;
    }

    /// The running process.
    pub(crate) fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("the service was started")
    }

    /// Kills the process as the kernel would.
    pub(crate) async fn kill(&mut self) {
        self.process().kill9().await;
    }
}

/// The answer, and how long it took.
pub(crate) async fn timed(request: impl Future<Output = Response>) -> (Response, Duration) {
    let begun = Instant::now();
    (request.await, begun.elapsed())
}
