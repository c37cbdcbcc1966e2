//! A whole service in the test's own process, through the door production uses.
//!
//! ```
//! # async fn example<App: lyceum_chassis::Service>() {
//! # use lyceum_testing::spawn;
//! let app = spawn::<App>(|settings| settings.platform.http.request_timeout_ms = 200);
//! let courses = app.client().get("/courses").send().await.expect(200);
//! # }
//! ```
//!
//! The service lives on a thread and a runtime of its own. Dropping the [`TestApp`] stops it as
//! SIGTERM would; work it could not finish, or a panic, fails the test.

use std::sync::mpsc;
use std::time::Duration;

use lyceum_chassis::server::RunError;
use lyceum_chassis::settings::{Settings, Source, load};
use lyceum_chassis::{Lifecycle, Service};
use lyceum_telemetry::testing::{Captured, capture};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use crate::background::Background;
use crate::database::TestDatabase;
use crate::http::Client;
use crate::identity::service_token;

/// Connections of one test service; many of them share one Postgres, which grants a hundred.
const CONNECTIONS: u32 = 5;

/// Workers that answer requests: more than one, so that what must not block another does not.
const WORKERS: usize = 2;

/// A running service with a database of its own.
#[derive(Debug)]
pub struct TestApp {
    // Dropped in this order: the service lets go of its database before that is removed.
    _service: Background,
    database: TestDatabase,
    name: &'static str,
    secret: String,
    client: Client,
    operations: Client,
    lifecycle: Lifecycle,
    ended: CancellationToken,
    captured: Captured,
}

/// Starts `S` with its own defaults, free ports, a fresh database, and what `configure` changes.
///
/// # Panics
/// When it does not start: with its reason.
pub fn spawn<S: Service>(configure: impl FnOnce(&mut Settings<S::Settings>)) -> TestApp {
    spawn_with::<S, ()>(configure, |_| ()).0
}

/// Like [`spawn`], and takes handles out of the service before it runs: those of a worker the
/// test drives by hand, for instance.
///
/// # Panics
/// As [`spawn`].
pub fn spawn_with<S: Service, H: Send + 'static>(
    configure: impl FnOnce(&mut Settings<S::Settings>),
    take: impl FnOnce(&S) -> H + Send + 'static,
) -> (TestApp, H) {
    // Before the first span: a process has one subscriber.
    let captured = capture();
    let database = TestDatabase::create();
    let mut settings = settings_for::<S>(&database);
    configure(&mut settings);
    let secret = first_secret(&settings);

    let lifecycle = Lifecycle::new();
    let lived = lifecycle.clone();
    let ended = CancellationToken::new();
    let end = ended.clone().drop_guard();
    let (started, start) = mpsc::channel();
    let service = Background::start(S::NAME, move |stop| {
        let _end = end;
        runtime().block_on(async {
            let service = match S::build(settings).await {
                Ok(service) => service,
                Err(error) => return started.send(Err(error.to_string())).expect(WAITS),
            };
            let server = service.server();
            let ports = (server.port(), server.operations_port());
            started.send(Ok((ports, take(&service)))).expect(WAITS);
            let ended = run(service, lived, stop).await;
            ended.unwrap_or_else(|error| panic!("{} did not end cleanly: {error}", S::NAME));
        });
    });
    let ((port, operations_port), handles) = start
        .recv()
        .unwrap_or_else(|_| Err("it panicked".to_owned()))
        .unwrap_or_else(|reason| panic!("{} does not start: {reason}", S::NAME));
    let app = TestApp {
        _service: service,
        database,
        name: S::NAME,
        secret,
        client: Client::new(format!("http://127.0.0.1:{port}")),
        operations: Client::new(format!("http://127.0.0.1:{operations_port}")),
        lifecycle,
        ended,
        captured,
    };
    (app, handles)
}

/// Whoever spawned the service waits for it to have started.
const WAITS: &str = "the test waits for the start";

impl TestApp {
    /// `http://127.0.0.1:<port>` of the API.
    pub fn base_url(&self) -> &str {
        self.client.base_url()
    }

    /// `http://127.0.0.1:<port>` of the operations listener.
    pub fn operations_url(&self) -> &str {
        self.operations.base_url()
    }

    /// A client of the API.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A client of the operations listener.
    pub fn operations(&self) -> &Client {
        &self.operations
    }

    /// The service's database, to look into or to break.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// A token by which the service called `caller` calls this one.
    pub fn token_of(&self, caller: &str) -> String {
        service_token(caller, self.name, &self.secret)
    }

    /// Ends the service while the test goes on; dropping the app does so anyway.
    pub fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    /// Waits until the service has ended, after the test has asked it to.
    ///
    /// # Panics
    /// When `deadline` passes first.
    pub async fn ended(&self, deadline: Duration) {
        let ended = tokio::time::timeout(deadline, self.ended.cancelled()).await;
        ended.unwrap_or_else(|_| panic!("{} still runs after {deadline:?}", self.name));
    }

    /// Spans and log lines of this process, by trace.
    pub fn captured(&self) -> &Captured {
        &self.captured
    }
}

fn settings_for<S: Service>(database: &TestDatabase) -> Settings<S::Settings> {
    let settings = load::<S::Settings>(S::DEFAULTS, Source::default());
    let mut settings = settings.expect("the embedded defaults are settings");
    let platform = &mut settings.platform;
    platform.http.port = 0;
    platform.http.workers = WORKERS;
    platform.operations.port = 0;
    platform.database.url = database.url().into();
    platform.database.max_connections = CONNECTIONS;
    platform.database.min_connections = 0;
    platform.telemetry.otlp_endpoint = None;
    // No balancer has to notice that a test service is leaving.
    platform.lifecycle.drain_delay_ms = 0;
    settings
}

fn first_secret<S>(settings: &Settings<S>) -> String {
    let secrets = &settings.platform.service_auth.secrets;
    let first = secrets.first().expect("services share a secret");
    first.expose_secret().to_owned()
}

/// Runs `service` until `stop`, or until the test ends its lifecycle.
async fn run<S: Service>(
    service: S,
    lifecycle: Lifecycle,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let running = service.run(lifecycle.clone());
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => return ended,
        () = stop.cancelled() => {}
    }
    if !lifecycle.is_stopping() {
        lifecycle.stop();
    }
    running.await
}

/// As in production: the service's loops on a few threads, requests on workers of actix.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the system grants another runtime")
}
