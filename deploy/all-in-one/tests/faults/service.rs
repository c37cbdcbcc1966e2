//! A service about to be started, and what its start says when it fails.

use lyceum_testing::PATIENCE;
use lyceum_testing::eventually;
use lyceum_testing::http::Client;
use lyceum_testing::people::PASSWORD;
use lyceum_testing::process::{Launch, Process};
use serde_json::{Value, json};

/// All of them.
pub(crate) const NAMES: [&str; 3] = ["user", "course", "notification"];
/// The first admin of the default settings.
pub(crate) const ADMIN: (&str, &str) = ("admin@lyceum.test", "lyceum-development-admin");

/// The service called `name`, as its own binary is.
pub(crate) fn service(name: &str) -> Launch {
    Process::service(env!("CARGO_BIN_EXE_lyceum"))
        .arg("service")
        .arg(name)
}

/// A running service.
pub(crate) struct Running {
    pub(crate) process: Process,
    pub(crate) api: Client,
    pub(crate) operations: Client,
}

impl Running {
    /// Starts it and waits until it listens.
    pub(crate) async fn start(launch: Launch) -> Self {
        let process = launch.start();
        let ports = process.ports(PATIENCE).await;
        Self {
            process,
            api: Client::new(ports.api_url()),
            operations: Client::new(ports.operations_url()),
        }
    }

    /// Status of the readiness probe, and what it says of the database.
    pub(crate) async fn readiness(&self) -> (u16, String) {
        let answer = self.operations.get("/health/ready").send().await;
        let report: Value = answer.json();
        let database = report["database"].as_str().unwrap();
        (answer.status, database.to_owned())
    }

    /// Waits until the readiness probe says this.
    pub(crate) async fn becomes(&self, status: u16, database: &str) {
        eventually(&format!("{status} {database}"), async || {
            (self.readiness().await == (status, database.to_owned())).then_some(())
        })
        .await;
    }

    /// Status of a registration of somebody new.
    pub(crate) async fn registers(&self, email: &str) -> u16 {
        let account = json!({"email": email, "password": PASSWORD, "full_name": "Ada Lovelace"});
        self.api.post("/users").json(&account).send().await.status
    }

    /// A token of somebody who has an account.
    pub(crate) async fn signs_in(&self, email: &str, password: &str) -> Option<String> {
        let credentials = json!({"email": email, "password": password});
        let answer = self.api.post("/auth/login").json(&credentials).send().await;
        let session: Value = answer.json();
        session["access_token"].as_str().map(str::to_owned)
    }

    /// The value of the first series whose name and labels begin so.
    pub(crate) async fn metric(&self, series: &str) -> Option<f64> {
        let metrics = self.operations.get("/metrics").send().await.text();
        let line = metrics.lines().find(|line| line.starts_with(series))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Asks it to end, and it does so in order.
    pub(crate) async fn ends(mut self) {
        self.process.terminate();
        assert!(self.process.wait(PATIENCE).await.success());
        let panicked = self.process.log().into_iter();
        let mut panicked = panicked.filter(|line| line["event"] == "process.panicked");
        assert_eq!(panicked.next(), None);
    }
}

/// The one line on standard error of a start that must fail, with exit code 1.
pub(crate) async fn refusal(launch: Launch) -> String {
    let mut process = launch.start();
    let status = process.wait(PATIENCE).await;
    let lines = process.error_lines();
    assert_eq!((status.code(), lines.len()), (Some(1), 1), "{lines:?}");
    lines.into_iter().next().unwrap()
}
