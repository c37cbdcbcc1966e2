//! The course service between two scripted peers, and the people who use it.

use lyceum_chassis::settings::Settings;
use lyceum_contracts::course::{Course, Enrolment};
use lyceum_contracts::ids::{CourseId, UserId};
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{Contact, Contacts, LookupUsers};
use lyceum_course::App;
use lyceum_course::settings::CourseSettings;
use lyceum_outbox::{Pass, Relay};
use lyceum_testing::database::Engine;
use lyceum_testing::http::{Client, Response};
use lyceum_testing::identity::TestUsers;
use lyceum_testing::peer::{Answer, Received, ScriptedPeer};
use lyceum_testing::spawn::{TestApp, spawn_with};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use serde_json::json;

/// The question the course service asks about a person.
pub(crate) const LOOKUP: &str = "POST /internal/users/lookup";
/// Where events are told.
pub(crate) const EVENTS: &str = "POST /internal/events";

/// A running service, its peers, and the issuer of everybody's tokens.
pub(crate) struct Platform {
    pub(crate) app: TestApp,
    relay: Relay,
    pub(crate) tokens: TestUsers,
    pub(crate) users: ScriptedPeer,
    pub(crate) notifications: ScriptedPeer,
}

/// Somebody with an account and a token.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) token: String,
    pub(crate) client: Client,
}

impl Platform {
    /// Both peers are well: everybody exists, every event is accepted.
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// As [`Self::start`], with other settings.
    pub(crate) fn with(configure: impl FnOnce(&mut Settings<CourseSettings>)) -> Self {
        let tokens = TestUsers::new();
        let users = tokens.serve();
        users.on(LOOKUP).always_with(everybody_exists);
        let notifications = ScriptedPeer::start();
        notifications.on(EVENTS).always_with(accept_all);
        let changed = |settings: &mut Settings<CourseSettings>| {
            settings.service.upstreams.user.base_url = users.url();
            settings.service.upstreams.notification.base_url = notifications.url();
            settings.service.outbox.relay = false;
            configure(settings);
        };
        let (app, relay) = spawn_with::<App, Relay>(changed, |app| app.relay().clone());
        Self {
            app,
            relay,
            tokens,
            users,
            notifications,
        }
    }

    pub(crate) fn student(&self, id: i64) -> Person {
        self.person(id, Role::Student)
    }

    pub(crate) fn instructor(&self, id: i64) -> Person {
        self.person(id, Role::Instructor)
    }

    pub(crate) fn admin(&self, id: i64) -> Person {
        self.person(id, Role::Admin)
    }

    pub(crate) fn person(&self, id: i64, role: Role) -> Person {
        Person {
            id: id.try_into().unwrap(),
            token: self.tokens.token(id, role).sign(),
            client: self.app.client().clone(),
        }
    }

    /// A token by which the user service calls this one.
    pub(crate) fn service_token(&self) -> String {
        self.app.token_of("user")
    }

    /// One pass of the relay over what is due.
    pub(crate) async fn deliver_pending(&self) -> Pass {
        self.relay.deliver_pending().await.unwrap()
    }

    /// What was logged while `answer` was made.
    pub(crate) fn log_of(&self, answer: &Response) -> String {
        let trace = answer.header("x-trace-id").unwrap();
        let lines = self.app.captured().lines_of(trace);
        serde_json::Value::Array(lines).to_string()
    }

    /// Keeps everybody else from changing `course` until the transaction ends.
    pub(crate) async fn hold(&self, course: CourseId) -> DatabaseTransaction {
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
                let lock = format!("SELECT id FROM courses WHERE id = {course} FOR UPDATE");
                transaction.execute_unprepared(&lock).await.unwrap();
                transaction
            }
        }
    }

    /// A published course of a new instructor.
    pub(crate) async fn course(&self, capacity: Option<u32>) -> Course {
        let teacher = self.instructor(900);
        let draft = teacher.writes("Logic", capacity).await;
        teacher.publishes(draft.id).await.expect(200).json()
    }
}

impl Person {
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(path).bearer(&self.token).send().await
    }

    pub(crate) async fn post(&self, path: &str) -> Response {
        self.client.post(path).bearer(&self.token).send().await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &serde_json::Value) -> Response {
        self.client
            .post(path)
            .bearer(&self.token)
            .json(body)
            .send()
            .await
    }

    pub(crate) async fn writes(&self, title: &str, capacity: Option<u32>) -> Course {
        let body = json!({"title": title, "capacity": capacity});
        self.post_json("/courses", &body).await.expect(201).json()
    }

    pub(crate) async fn publishes(&self, course: CourseId) -> Response {
        self.post(&format!("/courses/{course}/publish")).await
    }

    pub(crate) async fn enrols_in(&self, course: CourseId) -> Response {
        self.post(&format!("/courses/{course}/enrolments")).await
    }

    pub(crate) async fn gets_a_place_in(&self, course: CourseId) -> Enrolment {
        self.enrols_in(course).await.expect(201).json()
    }

    pub(crate) async fn drops(&self, course: CourseId) -> Response {
        let path = format!("/courses/{course}/enrolments");
        self.client.delete(&path).bearer(&self.token).send().await
    }

    /// The course as this person sees it now.
    pub(crate) async fn sees(&self, course: CourseId) -> Course {
        self.get(&format!("/courses/{course}"))
            .await
            .expect(200)
            .json()
    }
}

/// What the user service answers when all it is asked about have accounts.
pub(crate) fn everybody_exists(request: &Received) -> Answer {
    let LookupUsers { ids } = request.json();
    let items = ids.into_iter().map(|id| Contact {
        id,
        email: format!("user{id}@example.org"),
        full_name: "Ada".to_owned(),
        role: Role::Student,
    });
    Answer::json(
        200,
        &Contacts {
            items: items.collect(),
        },
    )
}

/// What the notification service answers when all it is told is new.
pub(crate) fn accept_all(request: &Received) -> Answer {
    let batch: serde_json::Value = request.json();
    let told = batch["events"].as_array().map_or(0, Vec::len);
    Answer::json(200, &json!({"accepted": told, "duplicates": 0}))
}

/// An event about somebody, as the user service tells it.
pub(crate) fn event(name: &str, user: i64) -> serde_json::Value {
    json!({
        "event_id": uuid::Uuid::now_v7(),
        "occurred_at": "2026-01-02T03:04:05Z",
        "type": name,
        "data": {"user_id": user},
    })
}
