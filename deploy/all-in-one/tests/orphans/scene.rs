//! One service, those it calls, and a request that keeps it at work.

use lyceum_chassis::Service;
use lyceum_chassis::database::DatabaseSettings;
use lyceum_chassis::settings::Settings;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{Session, User};
use lyceum_course::settings::CourseSettings;
use lyceum_notification::settings::NotificationSettings;
use lyceum_telemetry::metrics::metrics_text;
use lyceum_testing::PATIENCE;
use lyceum_testing::database::Engine;
use lyceum_testing::eventually;
use lyceum_testing::identity::TestUsers;
use lyceum_testing::peer::{Answer, Gate, Received, ScriptedPeer};
use lyceum_testing::spawn::{TestApp, spawn};
use lyceum_user::settings::UserSettings;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};

use crate::caller::Ask;

/// Where a service finds the keys of people's tokens.
const KEYS: &str = "GET /.well-known/jwks.json";

/// A service's own patience with its database: not what ends anything here.
const PATIENT_MS: u64 = 60_000;

/// Nothing but requests is to wait for what a test holds.
const fn keep_to_requests(database: &mut DatabaseSettings) {
    database.acquire_timeout_ms = PATIENT_MS;
    database.prune = false;
}

/// A running service and its peers.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) app: TestApp,
    /// Who is called, and how often for one request.
    pub(crate) peers: Vec<(ScriptedPeer, usize)>,
    /// Waits for the peers, which never answer it.
    pub(crate) ask: Ask,
    /// Writes to the database.
    pub(crate) write: Ask,
    /// What `write` needs.
    tables: &'static str,
    _turn: MutexGuard<'static, ()>,
}

/// One test at a time: they measure.
async fn take_turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

fn silence() -> Answer {
    Answer::status(200).held_by(&Gate::closed())
}

/// user asks course twice and notification once, at the same time.
pub(crate) async fn user() -> Scene {
    let turn = take_turn().await;
    let (course, notification) = (ScriptedPeer::start(), ScriptedPeer::start());
    course.on("GET /users/{id}/courses").always(silence());
    course.on("GET /users/{id}/stats").always(silence());
    notification
        .on("GET /internal/users/{id}/unread-count")
        .always(silence());
    let (app, id, token) = user_with_ada(course.url(), notification.url()).await;
    Scene {
        name: lyceum_user::App::NAME,
        app,
        peers: vec![(course, 2), (notification, 1)],
        ask: Ask {
            line: format!("GET /users/{id}/overview"),
            token: token.clone(),
            body: "",
        },
        write: Ask {
            line: format!("PATCH /users/{id}"),
            token,
            body: r#"{"full_name": "Augusta"}"#,
        },
        tables: "users",
        _turn: turn,
    }
}

/// The user service and somebody with an account there: who, and the token.
pub(crate) async fn user_with_ada(
    course_url: String,
    notification_url: String,
) -> (TestApp, UserId, String) {
    let app = spawn::<lyceum_user::App>(|settings: &mut Settings<UserSettings>| {
        settings.service.upstreams.course.base_url = course_url;
        settings.service.upstreams.notification.base_url = notification_url;
        settings.service.outbox.relay = false;
        keep_to_requests(&mut settings.platform.database);
    });
    let password = "a heron on one leg";
    let account = json!({"email": "ada@example.org", "password": password, "full_name": "Ada"});
    let account = app.client().post("/users").json(&account).send().await;
    let id = account.expect(201).json::<User>().id;
    let credentials = json!({"email": "ada@example.org", "password": password});
    let session = app.client().post("/auth/login").json(&credentials);
    let session: Session = session.send().await.expect(200).json();
    (app, id, session.access_token)
}

/// course asks user whether the person exists.
pub(crate) async fn course() -> Scene {
    let turn = take_turn().await;
    let tokens = TestUsers::new();
    let users = tokens.serve();
    users.on("POST /internal/users/lookup").always(silence());
    let app = course_that_asks(&users);
    let token = tokens.token(1, Role::Instructor).sign();
    // The keys are known from here on.
    app.client()
        .get("/courses")
        .bearer(&token)
        .send()
        .await
        .expect(200);
    Scene {
        name: lyceum_course::App::NAME,
        app,
        peers: vec![(users, 1)],
        ask: Ask {
            line: "POST /courses/1/enrolments".to_owned(),
            token: token.clone(),
            body: "",
        },
        write: Ask {
            line: "POST /courses".to_owned(),
            token,
            body: r#"{"title": "Logic"}"#,
        },
        tables: "courses, enrolments",
        _turn: turn,
    }
}

fn course_that_asks(users: &ScriptedPeer) -> TestApp {
    spawn::<lyceum_course::App>(|settings: &mut Settings<CourseSettings>| {
        settings.service.upstreams.user.base_url = users.url();
        settings.service.outbox.relay = false;
        keep_to_requests(&mut settings.platform.database);
    })
}

/// notification asks user for the keys of people's tokens, and knows none before.
pub(crate) async fn notification() -> Scene {
    let turn = take_turn().await;
    let tokens = TestUsers::new();
    let users = ScriptedPeer::start();
    users.on(KEYS).always(silence());
    let app = spawn_notification(&users);
    Scene {
        name: lyceum_notification::App::NAME,
        ask: Ask {
            line: "GET /notifications".to_owned(),
            token: tokens.student(1),
            body: "",
        },
        write: Ask {
            line: "POST /internal/events".to_owned(),
            token: app.token_of("course"),
            body: r#"{"events": [{"event_id": "019ab000-0000-7000-8000-000000000001",
                "occurred_at": "2026-01-02T03:04:05Z", "type": "user.registered",
                "data": {"user_id": 1}}]}"#,
        },
        app,
        peers: vec![(users, 1)],
        tables: "notifications, recipients, processed_events",
        _turn: turn,
    }
}

fn spawn_notification(users: &ScriptedPeer) -> TestApp {
    spawn::<lyceum_notification::App>(|settings: &mut Settings<NotificationSettings>| {
        settings.service.upstreams.user.base_url = users.url();
        settings.service.live.sweep = false;
        settings.service.mail.run = false;
        settings.service.webhooks.run = false;
        keep_to_requests(&mut settings.platform.database);
    })
}

impl Scene {
    /// Waits until the service asks its peers for the caller of `trace`; what they received.
    pub(crate) async fn asks_its_peers(&self, trace: &str) -> Vec<Received> {
        let mut received = Vec::new();
        for (peer, calls) in &self.peers {
            let mut count = 0;
            received.extend(loop {
                let all = peer.wait_for_requests(count + 1, PATIENCE).await;
                count = all.len();
                let of_trace: Vec<_> = all.into_iter().filter(|one| is_of(one, trace)).collect();
                if of_trace.len() == *calls {
                    break of_trace;
                }
            });
        }
        received
    }

    /// Waits until every peer has seen the service hang up on what it asked for that caller.
    pub(crate) async fn hangs_up(&self, trace: &str) {
        for (peer, calls) in &self.peers {
            let mut count = 0;
            loop {
                let all = peer.wait_for_abandoned(count + 1, PATIENCE).await;
                count = all.len();
                if all.iter().filter(|one| is_of(one, trace)).count() == *calls {
                    break;
                }
            }
        }
    }

    /// Keeps everybody else from writing, and on Postgres from reading, until it is dropped.
    pub(crate) async fn hold_database(&self) -> DatabaseTransaction {
        let database = self.app.database();
        let connection = database.connect().await;
        match database.engine() {
            Engine::Sqlite => {
                let options = TransactionOptions {
                    sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                    ..TransactionOptions::default()
                };
                connection.begin_with_options(options).await.unwrap()
            }
            Engine::Postgres => {
                let transaction = connection.begin().await.unwrap();
                let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", self.tables);
                transaction.execute_unprepared(&lock).await.unwrap();
                transaction
            }
        }
    }

    /// Who knows what waits for that database.
    pub(crate) async fn looker(&self) -> Looker {
        Looker {
            engine: self.app.database().engine(),
            connection: self.app.database().connect().await,
        }
    }
}

/// Who knows what waits for a database.
pub(crate) struct Looker {
    pub(crate) engine: Engine,
    connection: DatabaseConnection,
}

impl Looker {
    /// How many statements wait, by the server's word; of a file, how many requests are under way.
    async fn waiting(&self) -> i64 {
        match self.engine {
            Engine::Sqlite => under_way(),
            Engine::Postgres => {
                let sql = "SELECT count(*) FROM pg_stat_activity \
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
                let statement = Statement::from_string(self.connection.get_database_backend(), sql);
                let row = self.connection.query_one_raw(statement).await;
                row.unwrap().unwrap().try_get_by_index(0).unwrap()
            }
        }
    }

    pub(crate) async fn sees_waiting(&self, count: i64) {
        let what = format!("{count} waiting");
        eventually(&what, async || {
            (self.waiting().await == count).then_some(())
        })
        .await;
    }
}

/// Waits until a writer of this process has passed the queue and waits for the file itself. Whoever
/// writes after it waits for it, and not for the file.
pub(crate) async fn a_writer_waits_for_the_file() {
    let used = |line: &str| {
        let connections = line.starts_with("db_client_connection_count{");
        connections && line.contains("db_client_connection_state=\"used\"")
    };
    eventually("a writer at the file", async || {
        (sum_of(used) > 0).then_some(())
    })
    .await;
}

/// Requests this process works on.
fn under_way() -> i64 {
    sum_of(|line| line.starts_with("http_server_active_requests{"))
}

/// What the lines of `/metrics` that `count` add up to.
fn sum_of(count: impl Fn(&str) -> bool) -> i64 {
    let text = metrics_text();
    let lines = text.lines().filter(|line| count(line));
    let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<i64>().ok());
    values.sum()
}

fn is_of(request: &Received, trace: &str) -> bool {
    let parent = request.header("traceparent");
    parent.is_some_and(|parent| parent.contains(trace))
}
